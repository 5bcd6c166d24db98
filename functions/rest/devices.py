"""Where the caller's pushes go."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import DevicePath, NewDevicePath, caller
from functions.rest.wiring import Wiring
from shared.operations.devices import devices_of, forget_device, register_device
from shared.wire.rest.people import NewDevice, device_body, devices_body, new_target


def add_devices(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/devices")
    def get_devices() -> Answer:
        """The caller's devices, the latest registered first."""
        user_id = caller(app, wiring).user_id
        return ok(devices_body(devices_of(user_id, stores=wiring.stores)))

    @app.put("/v1/devices/<device_id>")
    def put_device(device_id: NewDevicePath, body: Annotated[NewDevice, Body()]) -> Answer:
        """Send the caller's pushes to this device, too. Its token belongs to nobody else from now on."""
        user_id = caller(app, wiring).user_id
        device = register_device(user_id, device_id, new_target(body), stores=wiring.stores, context=wiring.context)
        return ok(device_body(device))

    @app.delete("/v1/devices/<device_id>")
    def delete_device(device_id: DevicePath) -> Answer:
        """No more pushes to this device: at signing out."""
        forget_device(caller(app, wiring).user_id, device_id, stores=wiring.stores)
        return done()
