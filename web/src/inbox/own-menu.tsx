/** One's own menu: contacts, appearance, language, and the way out. */
import { updateMe } from "@parley/client/more";
import { useClient } from "@parley/react";
import { useState } from "react";
import { LANGUAGES, type Language, useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { canBePushed, isPushed, push, unpush } from "../lib/push";
import { server } from "../lib/server";
import { applyTheme, THEMES, theme } from "../lib/theme";
import { PeopleDialog } from "../people/people";
import { RemindersDialog } from "../people/reminders";
import { Avatar } from "../ui/avatar";
import { Menu } from "../ui/menu";
import { useToasts } from "../ui/toast";

/** Of which missed messages one is mailed. */
const MAILS = ["all", "mentions", "off"] as const;

export function OwnMenu({ onSignOut }: { onSignOut: () => void }) {
  const { t, language, setLanguage } = useI18n();
  const { me, isGuest, contacts, nameOf, recordOf } = usePeople();
  const requests = contacts.filter((one) => one.status === "incoming").length;
  const { say, trying } = useToasts();
  const client = useClient();
  const [shown, setShown] = useState<"people" | "reminders" | null>(null);
  const [look, setLook] = useState(theme());
  const [hides, setHides] = useState(false);
  const [pushed, setPushed] = useState(false);
  const [mail, setMail] = useState<(typeof MAILS)[number]>();
  const ask = async (isOpen: boolean) => {
    if (!isOpen) return;
    setPushed(await isPushed(me));
    const profile = await server(client).me();
    setHides(profile.hide_presence);
    setMail(profile.mail);
  };
  const hide = async () => {
    if (await trying(server(client).hidePresence(!hides))) setHides(!hides);
  };
  const togglePush = async () => {
    if (pushed) await unpush(client, me);
    const now = pushed ? "off" : await push(client, me);
    setPushed(now === "on");
    if (now === "refused" || now === "none") say(t(`push.${now}`));
  };
  const asked = requests > 0 && t("people.requests", { n: requests });
  const groups = [
    {
      title: nameOf(me),
      entries: [
        !isGuest && { label: t("people.title"), icon: "people" as const, onSelect: () => setShown("people") },
        !isGuest && { label: t("remind.waiting"), icon: "clock" as const, onSelect: () => setShown("reminders") },
        { label: t("settings.presence"), checked: hides, onSelect: hide },
        !isGuest &&
          canBePushed() && { label: t("settings.push"), checked: pushed, onSelect: () => void trying(togglePush()) },
      ],
    },
    // who has no address is mailed nothing
    ...(mail && recordOf(me)?.email
      ? [
          {
            title: t("settings.mail"),
            entries: MAILS.map((one) => ({
              label: t(`settings.mail.${one}`),
              checked: one === mail,
              onSelect: () => void trying(updateMe(client, { mail: one }).then(() => setMail(one))),
            })),
          },
        ]
      : []),
    {
      title: t("settings.theme"),
      entries: THEMES.map((one) => ({
        label: t(`settings.theme.${one}`),
        checked: one === look,
        onSelect: () => {
          applyTheme(one);
          setLook(one);
        },
      })),
    },
    {
      title: t("settings.language"),
      entries: Object.entries(LANGUAGES).map(([one, label]) => ({
        label,
        checked: one === language,
        onSelect: () => void trying(setLanguage(one as Language)),
      })),
    },
    { entries: [{ label: t("signin.out"), icon: "out" as const, onSelect: () => onSignOut() }] },
  ];
  return (
    <>
      <Menu groups={groups} align="start" onOpenChange={(isOpen) => void ask(isOpen).catch(() => undefined)}>
        <button
          type="button"
          className="own"
          aria-label={[`${t("app.menu")}: ${me}`, asked].filter(Boolean).join(", ")}
        >
          <Avatar id={me} name={nameOf(me)} size="s" />
          {requests > 0 && <span className="count" aria-hidden="true" data-count={requests} />}
        </button>
      </Menu>
      {shown === "people" && <PeopleDialog onClose={() => setShown(null)} />}
      {shown === "reminders" && <RemindersDialog onClose={() => setShown(null)} />}
    </>
  );
}
