"""What API Gateway says of the last deployment of a stage, for which no stack waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# As it begins what it says of an automatic deployment that went well.
_WELL = "success"


@dataclass(frozen=True)
class Deployment:
    """`status` is API Gateway's word, empty where a stage has no deployment. `trouble` is why it is not in effect."""

    status: str
    trouble: str

    @property
    def is_on_its_way(self) -> bool:
        return self.status == "PENDING"


def last_deployment(gateway: Any, api: str, stage: Mapping[str, Any]) -> Deployment:
    """Of a stage as API Gateway's client (`apigatewayv2`) tells of it. `trouble` is empty where clients meet it."""
    status = reason = ""
    if deployment_id := stage.get("DeploymentId"):
        found = gateway.get_deployment(ApiId=api, DeploymentId=deployment_id)
        status, reason = found["DeploymentStatus"], found.get("DeploymentStatusMessage") or ""
    said = stage.get("LastDeploymentStatusMessage") or ""
    complaint = "" if said.lower().startswith(_WELL) else said
    if status == "DEPLOYED" and not complaint:
        return Deployment(status, "")
    return Deployment(status, reason or complaint or f"the deployment is {status.lower() or 'missing'}")
