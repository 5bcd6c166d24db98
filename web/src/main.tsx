/** Where the page starts. */
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { I18nProvider, preferredWords } from "./i18n";
import { takeFragment } from "./lib/session";
import { applyTheme } from "./lib/theme";
import { Boundary } from "./ui/boundary";
import "./styles/base.css";
import "./styles/inbox.css";
import "./styles/chat.css";
import "./styles/message.css";
import "./styles/panels.css";

const link = takeFragment(); // out of the address before anything else
applyTheme();
const words = await preferredWords();
createRoot(document.getElementById("root") as HTMLElement).render(
  <I18nProvider first={words}>
    <Boundary>
      <App link={link} />
    </Boundary>
  </I18nProvider>,
);
