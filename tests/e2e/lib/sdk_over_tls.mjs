// A program of its own, because whom to trust is told to a whole process: NODE_EXTRA_CA_CERTS, as an administrator does.
// Two people talk with Slack's SDKs, and it ends with 0. Input: { api, users, channel }.
import { Person } from './people.mjs';

const { api, users, channel } = JSON.parse(process.env.TALK);
const [ada, ben] = await Promise.all(users.map((u) => Person.connect({ api }, u)));
await ada.web.chat.postMessage({ channel, text: 'over TLS' });
await Promise.all([ada.seesText('over TLS'), ben.seesText('over TLS')]);
await ben.rtm.sendMessage('from a socket', channel);
await ada.seesText('from a socket');
process.exit(0);
