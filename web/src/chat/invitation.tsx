/** Where a link leads: what the group is called, and the way in. */
import { acceptInvite, type Invitation as Found, invitation } from "@parley/client/more";
import { useClient, useConnection } from "@parley/react";
import { useEffect, useState } from "react";
import { useI18n } from "../i18n";
import { usePeople } from "../lib/names";
import { go } from "../lib/route";
import { unturned } from "../lib/text";
import { Logo } from "../ui/icon";
import { useToasts } from "../ui/toast";

export function Invitation({ token }: { token: string }) {
  const { t } = useI18n();
  const client = useClient();
  const { state } = useConnection();
  const { nameOf } = usePeople();
  const { trying } = useToasts();
  const [found, setFound] = useState<Found | null | undefined>();
  useEffect(() => {
    if (state !== "online") return;
    let here = true;
    invitation(client, token).then(
      (one) => here && setFound(one),
      () => here && setFound(null),
    );
    return () => {
      here = false;
    };
  }, [client, token, state]);
  const accept = async () => {
    const { id } = await acceptInvite(client, token);
    await client.refreshInbox();
    go(id);
  };
  return (
    <div className="choose">
      <Logo />
      {found === null && <p role="status">{t("ways.gone")}</p>}
      {found && (
        <>
          <h2>
            <bdi>{unturned(found.name ?? "")}</bdi>
          </h2>
          {found.topic && (
            <p>
              <bdi>{unturned(found.topic)}</bdi>
            </p>
          )}
          <p>{t("ways.from", { who: nameOf(found.created_by), n: found.member_count })}</p>
          <button type="button" className="button primary" onClick={() => void trying(accept())}>
            {t("ways.come")}
          </button>
        </>
      )}
      <button type="button" className="button" onClick={() => go(null)}>
        {t("app.back")}
      </button>
    </div>
  );
}
