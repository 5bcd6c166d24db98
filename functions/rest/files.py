"""Images and files: how to upload one, and where to get it."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.requests import FilePath, caller, writer
from functions.rest.wiring import Wiring
from shared.operations.files import NewFile, begin_upload, file_for, links_to
from shared.wire.rest.messages import NewUpload, begun_body, file_body


def add_files(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/files")
    def post_file(body: NewUpload) -> Answer:
        """Announce a file, and get the form to upload it with. It can be sent in messages once it is `ready`."""
        stores, services, context = wiring.parts
        asked = NewFile(writer(app, wiring), body.name, body.content_type, body.size, body.kind)
        file, upload = begin_upload(asked, stores=stores, services=services, context=context)
        return ok(begun_body(file, upload), is_new=True)

    @app.get("/v1/files/<file_id>")
    def get_file(file_id: FilePath) -> Answer:
        """One file, and where to get it: for its owner, and once it is ready for whoever can read a message with it."""
        user_id = caller(app, wiring).user_id
        file = file_for(user_id, file_id, stores=wiring.stores)
        return ok(file_body(file, links_to(file, services=wiring.services)))
