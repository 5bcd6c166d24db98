/** The configuration, then who is signed in, then the chat. */
import { indexedDBStore, ParleyClient, type ParleyError } from "@parley/client";
import { ParleyProvider, useClient, useConnection } from "@parley/react";
import { type ReactNode, useEffect, useState } from "react";
import { Chat } from "./chat";
import { UploadsContext } from "./chat/sending-files";
import { useI18n } from "./i18n";
import { telling } from "./lib/drafts";
import { PeopleProvider } from "./lib/names";
import { asProblem, type Problem, problemIn } from "./lib/problems";
import { unpush } from "./lib/push";
import {
  accept,
  askSession,
  type Config,
  currentSession,
  loadConfig,
  type Refused,
  type Session,
  signOut,
  takeFragment,
} from "./lib/session";
import { indexedDBShelf } from "./lib/shelf";
import { Uploads } from "./lib/uploads";
import { SignIn } from "./signin";
import { ToastProvider } from "./ui/toast";

type Link = ReturnType<typeof takeFragment>;
type Signed = { session: Session; client: ParleyClient; uploads: Uploads };

/** `link`: what the address had to say when the page was opened. It may say more later: a link in the tab that is open. */
export function App({ link }: { link: Link }) {
  const { t } = useI18n();
  const [opened, setOpened] = useState({ link, times: 0 });
  const [config, setConfig] = useState<Config | "failed" | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const look = () => {
      const found = takeFragment();
      if (found) setOpened(({ times }) => ({ link: found, times: times + 1 }));
    };
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
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
  if (config === null) return <Splash />;
  if (config === "failed") return <Splash problem={t("app.failed")} onRetry={() => setTries(tries + 1)} />;
  return <Door key={opened.times} config={config} link={opened.link} />;
}

function Splash({ problem, onRetry }: { problem?: string; onRetry?: () => void }) {
  const { t } = useI18n();
  if (!problem) {
    return (
      <p className="splash" role="status">
        {t("app.loading")}
      </p>
    );
  }
  return (
    <main className="splash">
      <p role="alert">{problem}</p>
      <button type="button" className="button primary" onClick={onRetry}>
        {t("app.retry")}
      </button>
    </main>
  );
}

function Door({ config, link }: { config: Config; link: Link }) {
  const { t } = useI18n();
  const [session, setSession] = useState(() => currentSession(config));
  const [signed, setSigned] = useState<Signed | null>(null);
  const [failed, setFailed] = useState<Problem | null>(null);
  const [refused, setRefused] = useState<Refused | "unknown" | null>(link === "bad_link" ? link : null);
  const [isAsking, setIsAsking] = useState(!session && refused === null && config.token_url !== undefined);
  useEffect(() => {
    if (!isAsking) return;
    askSession(config)
      .then(
        (found) => {
          setSession(found);
          setRefused(found ? null : "not_accepted");
        },
        (error: ParleyError) => setRefused(error.code === "unauthenticated" ? "no_token" : "unknown"),
      )
      .finally(() => setIsAsking(false));
  }, [config, isAsking]);
  useEffect(() => {
    if (!session) return setSigned(null);
    if (failed) return; // until another try is asked for
    const { user, token } = session;
    const place = `${config.http_url} ${user}`;
    const uploads = new Uploads(user, indexedDBShelf(`parley files ${place}`));
    const store = telling(indexedDBStore(`parley ${place}`), user, uploads);
    const client = new ParleyClient({ url: config.ws_url, httpUrl: config.http_url, token, store });
    let here = true;
    client.start().then(
      () => {
        if (!here) return;
        void uploads.start(client);
        setSigned({ session, client, uploads });
      },
      (error) => here && setFailed(asProblem(error)),
    );
    return () => {
      here = false;
      uploads.stop();
      void client.close();
    };
  }, [config, session, failed]);
  const ask = config.token_url ? () => setIsAsking(true) : undefined;
  if (isAsking) return <Splash />;
  if (!session && refused === "unknown")
    return <Splash problem={t("signin.unreachable")} {...(ask && { onRetry: ask })} />;
  if (!session) {
    const done = () => setSession(currentSession(config));
    return <SignIn config={config} refused={refused as Refused | null} onDone={done} {...(ask && { onAsk: ask })} />;
  }
  if (failed) {
    const problem = t("app.notStarted", { error: problemIn(t, failed) });
    return <Splash problem={problem} onRetry={() => setFailed(null)} />;
  }
  if (!signed || signed.session !== session) return <Splash />;
  const { client, uploads } = signed;
  const leave = (why: Refused | null = null) => {
    signOut();
    const told = why === null ? unpush(client, signed.session.user).catch(() => undefined) : Promise.resolve();
    if (why === null || client.connection().code === "log_lost") {
      void told.then(() => client.close()).then(() => client.forget());
    }
    setRefused(why);
    setSession(null);
  };
  return (
    <ParleyProvider client={client}>
      <Accepted session={session} onRefused={leave}>
        <ToastProvider>
          <PeopleProvider me={session.user} isGuest={session.isGuest ?? false}>
            <UploadsContext value={uploads}>
              <Chat onSignOut={leave} />
            </UploadsContext>
          </PeopleProvider>
        </ToastProvider>
      </Accepted>
    </ParleyProvider>
  );
}

/** Shows nothing of what is stored here of a user before the server has taken the token for theirs. */
function Accepted({
  session,
  onRefused,
  children,
}: {
  session: Session;
  onRefused: (why: Refused) => void;
  children: ReactNode;
}) {
  const { t } = useI18n();
  const client = useClient();
  const { state, code } = useConnection();
  const [isIn, setIsIn] = useState(session.isAccepted);
  useEffect(() => {
    if (state === "catching_up" || state === "online") {
      accept(session);
      setIsIn(true);
    } else if (state === "ended" && !isIn) onRefused(code === "banned" ? "banned" : "not_accepted");
  }, [state, code, isIn, session, onRefused]);
  if (isIn) return children;
  if (state === "offline") return <Splash problem={t("signin.unreachable")} onRetry={() => client.reconnect()} />;
  return <Splash />;
}
