"""What surrounds the method: params, paths, errors of a stage, work in progress. No result depends on it."""
