/** What stands in place of a page that can't be drawn: never nothing. */
import { Component, type ReactNode } from "react";
import { useI18n } from "../i18n";

export class Boundary extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useI18n();
  return (
    <main className="splash">
      <p role="alert">{t("app.broken")}</p>
      <button type="button" className="button primary" onClick={() => location.reload()}>
        {t("app.reload")}
      </button>
    </main>
  );
}
