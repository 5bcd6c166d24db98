/** Where the page starts. */
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { I18nProvider } from "./i18n";
import { takeFragment } from "./lib/session";
import { applyTheme } from "./lib/theme";
import { Boundary } from "./ui/boundary";
import "./styles/base.css";
import "./styles/inbox.css";
import "./styles/chat.css";
import "./styles/message.css";
import "./styles/panels.css";

takeFragment();
applyTheme();
createRoot(document.getElementById("root") as HTMLElement).render(
  <I18nProvider>
    <Boundary>
      <App />
    </Boundary>
  </I18nProvider>,
);
