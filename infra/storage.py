"""The four tables. docs/adr/0001 and 0002 say why the data has this shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.removal import removal_of

if TYPE_CHECKING:
    from infra.config import Config

TableName = Literal["log", "members", "sessions", "tickets"]

_TTL_ATTRIBUTE = "ttl"


class Storage(Construct):
    """On demand, encrypted, with point-in-time recovery, and safe from deletion unless the configuration says so."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self.log = self._table("Log", "conversation_id", sort=_number("seq"), stream=True)
        self.members = self._table("Members", "pk", sort=_text("sk"), stream=bool(config.withdrawals))
        self.sessions = self._table("Sessions", "user_id")
        self.tickets = self._table("Tickets", "ticket")

    def environment(self, *tables: TableName) -> dict[str, str]:
        """The variables that tell a function the names of these tables."""
        names = {
            "log": self.log.table_name,
            "members": self.members.table_name,
            "sessions": self.sessions.table_name,
            "tickets": self.tickets.table_name,
        }
        return {f"{table.upper()}_TABLE": names[table] for table in tables}

    def _table(
        self, construct_id: str, key: str, *, sort: dynamodb.Attribute | None = None, stream: bool = False
    ) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            construct_id,
            partition_key=_text(key),
            sort_key=sort,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            # The account's own key aws/dynamodb: its use shows in CloudTrail, and readers need no KMS permission.
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=_TTL_ATTRIBUTE,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES if stream else None,
            deletion_protection=self._config.retains_data,
            removal_policy=removal_of(self._config, is_protected=True),
        )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _number(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.NUMBER)
