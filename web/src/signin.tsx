/** Signing in: as anybody on one's own machine, or with a token. */
import { type SubmitEvent, useId, useState } from "react";
import { useI18n } from "./i18n";
import { type Config, isUserId, type Refused, signInAs, signInWithToken } from "./lib/session";
import { Logo } from "./ui/icon";

interface Props {
  config: Config;
  /** Why one has to sign in, where that is to be said. */
  refused: Refused | null;
  onDone: () => void;
  /** Ask the product's backend once more. */
  onAsk?: () => void;
}

export function SignIn({ config, refused, onDone, onAsk }: Props) {
  const { t } = useI18n();
  const [byToken, setByToken] = useState(!config.tokens_url);
  const [text, setText] = useState("");
  const [isBad, setIsBad] = useState(false);
  const field = useId();
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (byToken ? signInWithToken(text) : isUserId(text.trim())) {
      if (!byToken) signInAs(text.trim());
      onDone();
    } else setIsBad(true);
  };
  const change = (value: string) => {
    setText(value);
    setIsBad(false);
  };
  return (
    <main className="signin">
      <form onSubmit={submit} noValidate>
        <Logo />
        <h1>{t("signin.title")}</h1>
        {refused && (
          <p role="alert" className="warning">
            {t(`signin.refused.${refused}`)}
          </p>
        )}
        {onAsk && (
          <button type="button" className="button primary" onClick={onAsk}>
            {t("app.retry")}
          </button>
        )}
        <p className="hint" id={`${field}-hint`}>
          {t(byToken ? "signin.tokenHint" : "signin.demo")}
        </p>
        <label htmlFor={field}>{t(byToken ? "signin.token" : "signin.user")}</label>
        <input
          id={field}
          className="field"
          value={text}
          onChange={(event) => change(event.target.value)}
          type={byToken ? "password" : "text"}
          placeholder={byToken ? "eyJ…" : "alice"}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={isBad}
          aria-describedby={`${field}-hint ${field}-bad`}
        />
        <p className="bad" id={`${field}-bad`} role="alert">
          {isBad && t(byToken ? "signin.badToken" : "signin.badUser")}
        </p>
        <button type="submit" className={onAsk ? "button" : "button primary"}>
          {t("signin.go")}
        </button>
        {config.tokens_url && (
          <button
            type="button"
            className="button quiet"
            onClick={() => {
              setByToken(!byToken);
              change("");
            }}
          >
            {t(byToken ? "signin.withUser" : "signin.withToken")}
          </button>
        )}
      </form>
    </main>
  );
}
