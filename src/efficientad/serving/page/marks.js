// What a map marks at a threshold, as the server's `mark_defects` and `find_regions` do (docs/decisions/0033), but at
// the map's own resolution: a slider is followed at once.

const MARKED_SHARE = 0.5; // of a region's highest value

// map: {width, height, values}. Return {marks, regions}: a Uint8Array of 0 and 1, and of each connected region of marks
// x, y, width, height, area in px of the map, score, its highest value, and tip, a column of its first row; by decreasing
// score.
export function findRegions(map, threshold) {
  const limit = Math.fround(threshold);
  const above = Uint8Array.from(map.values, (value) => (value > limit ? 1 : 0));
  const marks = new Uint8Array(above.length);
  for (const region of connect(above, map)) {
    const least = Math.min(region.score, Math.fround(region.score * MARKED_SHARE));
    for (const pixel of region.pixels) if (map.values[pixel] >= least) marks[pixel] = 1;
  }
  const regions = connect(marks, map).map(({ pixels, ...region }) => ({ ...region, area: pixels.length }));
  return { marks, regions: regions.sort((one, other) => other.score - one.score) };
}

// Return the regions of a mask whose pixels touch, at a corner at least.
function connect(mask, { width, height, values }) {
  const open = Uint8Array.from(mask);
  const regions = [];
  for (let start = 0; start < open.length; start++) {
    if (!open[start]) continue;
    open[start] = 0;
    const pixels = [start];
    let [left, right, top, bottom, score] = [width, 0, height, 0, -Infinity];
    for (let next = 0; next < pixels.length; next++) {
      const pixel = pixels[next];
      const x = pixel % width;
      const y = (pixel - x) / width;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      score = Math.max(score, values[pixel]);
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const neighbour = row * width + column;
          if (open[neighbour]) {
            open[neighbour] = 0;
            pixels.push(neighbour);
          }
        }
      }
    }
    const box = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    regions.push({ ...box, tip: start % width, score, pixels });
  }
  return regions;
}
