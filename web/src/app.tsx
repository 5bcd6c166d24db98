/** The configuration, then who is signed in, then the chat. */
import { indexedDBStore, ParleyClient } from "@parley/client";
import { ParleyProvider } from "@parley/react";
import { useEffect, useState } from "react";
import { Chat } from "./chat";
import { useI18n } from "./i18n";
import { PeopleProvider } from "./lib/names";
import { type Config, currentSession, loadConfig, type Session, signOut } from "./lib/session";
import { SignIn } from "./signin";
import { ToastProvider } from "./ui/toast";

type Signed = { session: Session; client: ParleyClient };

export function App() {
  const { t } = useI18n();
  const [config, setConfig] = useState<Config | "failed" | null>(null);
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another try is the reason to ask again
  useEffect(() => {
    let here = true;
    loadConfig().then(
      (found) => here && setConfig(found),
      () => here && setConfig("failed"),
    );
    return () => {
      here = false;
    };
  }, [tries]);
  if (config === null)
    return (
      <p className="splash" role="status">
        {t("app.loading")}
      </p>
    );
  if (config === "failed") {
    return (
      <main className="splash">
        <p role="alert">{t("app.failed")}</p>
        <button type="button" className="button primary" onClick={() => setTries(tries + 1)}>
          {t("app.retry")}
        </button>
      </main>
    );
  }
  return <Door config={config} />;
}

function Door({ config }: { config: Config }) {
  const [session, setSession] = useState(() => currentSession(config));
  const [signed, setSigned] = useState<Signed | null>(null);
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    if (!session) return setSigned(null);
    const { user, token } = session;
    const store = indexedDBStore(`parley ${config.http_url} ${user}`);
    const client = new ParleyClient({ url: config.ws_url, httpUrl: config.http_url, token, store });
    let here = true;
    client.start().then(() => here && setSigned({ session, client }));
    return () => {
      here = false;
      void client.close();
    };
  }, [config, session]);
  if (!session) {
    return <SignIn config={config} ended={ended} onDone={() => setSession(currentSession(config))} />;
  }
  if (!signed || signed.session !== session) return null;
  const { client } = signed;
  const leave = (why?: "ended") => {
    signOut();
    if (why !== "ended" || client.connection().code === "log_lost") void client.close().then(() => client.forget());
    setEnded(why === "ended");
    setSession(null);
  };
  return (
    <ParleyProvider client={client}>
      <ToastProvider>
        <PeopleProvider me={session.user}>
          <Chat onSignOut={leave} />
        </PeopleProvider>
      </ToastProvider>
    </ParleyProvider>
  );
}
