/** What the views need of the client that they show. */

import type { Base } from "../base.js";
import type { Core } from "../core/core.js";
import type { Api } from "../http.js";
import type { Batch, Store } from "../store/store.js";
import type { Ledger } from "./ledger.js";
import type { Topics } from "./topics.js";

export type Deps = {
  readonly base: Pick<Base, "hears" | "tell">;
  readonly core: Core;
  readonly store: Store;
  readonly api: Api;
  readonly topics: Topics;
  readonly ledger: Ledger;
  /** Keep this, too, with the next write. */
  keep(add: (batch: Batch) => void): void;
};
