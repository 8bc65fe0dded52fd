// Reads a schema with postgres-meta and prints what that cost and how much was found. Reads {"url": {...}}.

import { readFileSync } from "node:fs";
import { PostgresMeta } from "@supabase/postgres-meta";
import pg from "pg";

const NEEDED = new Set(["id", "code", "name", "amount", "made", "flag"]);
const OPTIONAL = new Set(["parent", "note", "body", "position"]);

const { url } = JSON.parse(readFileSync(0, "utf8"));
const place = new URL("postgres://host");
place.hostname = url.host;
place.port = String(url.port);
place.username = encodeURIComponent(url.username);
place.password = encodeURIComponent(url.password ?? "");
place.pathname = `/${encodeURIComponent(url.database)}`;

let statements = 0;
const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (...args) {
  statements += 1;
  return query.apply(this, args);
};

const meta = new PostgresMeta({ connectionString: place.toString(), max: 1 });

const computed = (thread) => {
  try {
    return Number(readFileSync(`/proc/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  } catch {
    return null;
  }
};

const rows = ({ data, error }) => {
  if (error) {
    throw new Error(error.message);
  }
  return data;
};

const thread = rows(await meta.query("SELECT pg_backend_pid() AS id"))[0].id;
statements = 0;
const before = computed(thread);
const began = performance.now();
const tables = rows(await meta.tables.list({ includeColumns: true }));
const indexes = rows(await meta.indexes.list());
const seconds = (performance.now() - began) / 1000;
const after = computed(thread);

const columns = tables.flatMap((table) => table.columns);
const own = indexes.filter((index) => !index.is_primary);
const count = (items, test) => items.filter(test).length;
const answer = {
  statements,
  seconds,
  processor: before === null || after === null ? null : after - before,
  facts: {
    columns: count(columns, ({ name, is_nullable }) => (is_nullable ? OPTIONAL : NEEDED).has(name)),
    primary_keys: count(tables, (table) => table.primary_keys.length === 1 && table.primary_keys[0].name === "id"),
    // What happens when the row is deleted that is referred to is not told.
    foreign_keys: count(
      tables.flatMap((table) => table.relationships.filter((key) => key.source_table_name === table.name)),
      (key) => key.deletion_rule === "CASCADE" || key.on_delete === "CASCADE",
    ),
    unique: count(columns, ({ name, is_unique }) => name === "code" && is_unique),
    checks: count(columns, ({ check }) => check?.includes("amount")),
    descending: count(own, ({ index_definition }) => index_definition.includes(" DESC")),
    partial_values: count(own, ({ index_definition }) => index_definition.includes("lower(")),
    conditions: count(own, ({ index_definition }) => index_definition.includes(" WHERE ")),
    comments: count(tables, ({ comment }) => Boolean(comment)),
  },
};
console.log(JSON.stringify(answer));
await meta.end();
