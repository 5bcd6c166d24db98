/** A group's name and members, with what one's own role lets one do about them. */
import type { InboxItem } from "@parley/client";
import { updateConversation } from "@parley/client/more";
import { useClient } from "@parley/react";
import { useI18n } from "../i18n";
import { areUserIds, userIds } from "../inbox/new-chat";
import { useMembers } from "../lib/members";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { type Member, type Role, server } from "../lib/server";
import { isLabel } from "../lib/text";
import { Avatar } from "../ui/avatar";
import { Icon } from "../ui/icon";
import { InlineForm } from "../ui/inline-form";
import { Menu } from "../ui/menu";
import { useToasts } from "../ui/toast";
import { GroupWays } from "./group-ways";

const ROLES: readonly Role[] = ["owner", "admin", "member"];

interface Props {
  id: string;
  name: string;
  item: InboxItem | undefined;
  onClose: () => void;
}

export function GroupDetails({ id, name, item, onClose }: Props) {
  const { t } = useI18n();
  const { members, may, refresh } = useMembers();
  const client = useClient();
  const { trying } = useToasts();
  const sorted = [...members].sort(
    (a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || (a.user_id < b.user_id ? -1 : 1),
  );
  const change = (work: Promise<unknown>) => trying(work.then(() => Promise.all([refresh(), client.refreshInbox()])));
  return (
    <>
      {may("change_name") && (
        <InlineForm
          label={t("new.name")}
          action={t("details.rename")}
          first={name}
          isProse
          isGood={(text) => isLabel(text) && text !== name}
          onSubmit={(text) => change(server(client).rename(id, text))}
        />
      )}
      {may("change_topic") && (
        <InlineForm
          label={t("details.topic")}
          action={t("details.setTopic")}
          placeholder={t("details.topic")}
          first={item?.topic ?? ""}
          isProse
          isGood={(text) => (text === "" || isLabel(text)) && text !== (item?.topic ?? "")}
          onSubmit={(text) => change(updateConversation(client, id, { topic: text || null }))}
        />
      )}
      <GroupWays id={id} item={item} />
      {!may("change_history") && item?.history === "from_joining" && <p className="hint">{t("history.hint")}</p>}
      <h3>
        {t("details.members")} ({members.length})
      </h3>
      {may("add_members") && (
        <InlineForm
          label={t("details.add")}
          action={t("details.add")}
          placeholder={t("new.membersHint")}
          isGood={areUserIds}
          onSubmit={(text) => change(server(client).addMembers(id, userIds(text)))}
        />
      )}
      <ul className="people">
        {sorted.map((member) => (
          <MemberRow key={member.user_id} id={id} member={member} change={change} onClose={onClose} />
        ))}
      </ul>
    </>
  );
}

interface RowProps {
  id: string;
  member: Member;
  change: (work: Promise<unknown>) => Promise<boolean>;
  onClose: () => void;
}

function MemberRow({ id, member: { user_id: user, role }, change, onClose }: RowProps) {
  const { t } = useI18n();
  const { me, isGuest, nameOf, recordOf } = usePeople();
  const { trying } = useToasts();
  const { role: own, may } = useMembers();
  const client = useClient();
  const ask = server(client);
  const write = async () => {
    const made = await ask.begin(user);
    await client.refreshInbox();
    onClose();
    go(made);
  };
  const mayRemove = user !== me && may("remove_members") && (own === "owner" || role === "member");
  const rank = ROLES.indexOf(own ?? "member");
  const mayChange = may("change_roles") && ROLES.indexOf(role) >= rank; // nobody gives or takes what is above their own
  const entries = [
    user !== me &&
      !isGuest && {
        label: t("details.write", { name: nameOf(user) }),
        icon: "compose" as const,
        onSelect: () => void trying(write()),
      },
    ...(mayChange
      ? ROLES.slice(rank)
          .filter((one) => one !== role)
          .map((one) => ({
            label: t(`details.make.${one}`),
            onSelect: () => void change(ask.setRole(id, user, one)),
          }))
      : []),
    mayRemove && {
      label: t("details.remove"),
      icon: "trash" as const,
      danger: true,
      onSelect: () => void change(ask.remove(id, user)),
    },
  ];
  return (
    <li className="person">
      <Avatar id={user} name={nameOf(user)} size="s" />
      <span className="person-name">
        <bdi>{nameOf(user)}</bdi>
        <small>
          {t(`details.role.${role}`)}
          {recordOf(user)?.deactivated && ` · ${t("people.deactivated")}`}
        </small>
      </span>
      {entries.some(Boolean) && (
        <Menu groups={[{ entries }]}>
          <button type="button" className="icon-button small" aria-label={t("details.actions", { name: nameOf(user) })}>
            <Icon name="more" size={18} />
          </button>
        </Menu>
      )}
    </li>
  );
}
