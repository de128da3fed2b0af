// Read a calendar as web applications do that use tsdav: arguments are address, user, password and, to go on, a token.
import { createDAVClient } from "tsdav";

const [serverUrl, username, password, token] = process.argv.slice(2);
const client = await createDAVClient({
  serverUrl,
  credentials: { username, password },
  authMethod: "Basic",
  defaultAccountType: "caldav",
});
const calendars = await client.fetchCalendars();
const own = calendars.find((calendar) => calendar.url.endsWith("/interventions/"));
const name = (url) => url.split("/").pop();
const found = { calendars: calendars.map((calendar) => calendar.displayName).sort() };
if (token) {
  const answers = await client.syncCollection({
    url: own.url,
    props: { "d:getetag": {} },
    syncLevel: 1,
    syncToken: token,
  });
  const named = answers.filter((answer) => answer.href);
  found.changed = named.filter((answer) => answer.status === 200 || answer.props?.getetag).map((answer) => name(answer.href));
  found.gone = named.filter((answer) => answer.status === 404).map((answer) => name(answer.href));
} else {
  const objects = await client.fetchCalendarObjects({ calendar: own });
  found.events = Object.fromEntries(objects.map((object) => [name(object.url), object.data]));
  const week = { start: "2026-11-25T09:00:00Z", end: "2026-11-25T10:00:00Z" };
  const some = await client.fetchCalendarObjects({ calendar: own, timeRange: week });
  found.inRange = some.map((object) => name(object.url)).sort();
}
found.token = own.syncToken;
console.log(JSON.stringify(found));
