"""`efficientad serve`: judge images over HTTP, with a page for the people at the line."""

import argparse
from pathlib import Path

from efficientad.commands.arguments import (
    Commands,
    add_openvino,
    parse_count,
    parse_millions,
    parse_port,
    read_engine_options,
)
from efficientad.errors import EfficientADError

_MILLION = 1_000_000


def add(commands: Commands) -> None:
    """Add the command."""
    serve = commands.add_parser(
        "serve",
        help="judge images over HTTP: a page for the line, plain uploads, KServe V2",
        description="Judge images over HTTP until Ctrl-C or SIGTERM. Open the address in a browser.",
    )
    serve.add_argument(
        "models", nargs="+", metavar="MODEL",
        help="models/SIZE/CATEGORY/SEED, called CATEGORY, or NAME=PATH; PATH may be a .xml file",
    )  # fmt: skip
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; any but this machine's asks for a token "
        "(default: %(default)s)",
    )  # fmt: skip
    serve.add_argument("--port", type=parse_port, default=8000, help="0: any that is free (default: %(default)s)")
    serve.add_argument("--token-file", type=Path, help="its text is what requests carry as `Authorization: Bearer`")
    serve.add_argument("--tls-certificate", type=Path, help="PEM file; the server then speaks HTTPS")
    serve.add_argument("--tls-key", type=Path, help="PEM file of the certificate's private key")
    serve.add_argument(
        "--queue", type=parse_count, default=16, help="requests that may wait; more get 429 (default: %(default)s)"
    )
    serve.add_argument("--streams", type=parse_count, default=1, help="images in inference at a time (default: 1)")
    serve.add_argument("--max-megabytes", type=parse_millions, default=32, help="of a request (default: %(default)s)")
    serve.add_argument("--max-megapixels", type=parse_millions, default=32, help="of an image (default: %(default)s)")
    add_openvino(serve)
    serve.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Load the models, serve them."""
    try:
        from efficientad.serving.app import build_app
        from efficientad.serving.models import load_models
        from efficientad.serving.server import (
            build_server,
            find_certificate,
            listen,
            name_address,
            read_token,
            serve,
        )  # fmt: skip
        from efficientad.serving.service import Limits
    except ModuleNotFoundError as error:
        raise EfficientADError(
            f"expected the packages of the extra `serve`, {error.name} is missing: pip install 'efficientad-dvc[serve]'"
        ) from error
    token = read_token(options.token_file, options.host)
    certificate = find_certificate(options.tls_certificate, options.tls_key)
    limits = Limits(
        threads=options.streams + 1,
        waiting=options.queue,
        most_bytes=int(options.max_megabytes * _MILLION),
        most_pixels=int(options.max_megapixels * _MILLION),
    )
    with listen(options.host, options.port) as listening:
        models = load_models(options.models, read_engine_options(options, streams=options.streams))
        line = f"{', '.join(models)} at {name_address(listening, certificate)}"
        server = build_server(build_app(models, limits, token), certificate)
        serve(server, listening, lambda: print(line, flush=True))
    return 0
