// A person (or a bot) with Slack's own SDKs: a web client, an RTM client, and what the latter has seen.
//
// RTM clients are never disconnected: the SDK throws when it is told to after a message was sent. The process ends.
import assert from 'node:assert/strict';

import { RTMClient } from '@slack/rtm-api';
import { LogLevel, WebClient } from '@slack/web-api';

import { within } from './server.mjs';

const WAIT_MS = 20_000;

export function webClient(server, token) {
  return new WebClient(token, {
    slackApiUrl: server.api,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
  });
}

// The call of an SDK must fail with this error code.
export async function refused(promise, code) {
  await assert.rejects(promise, (e) => {
    assert.equal(e.data?.error, code, String(e));
    return true;
  });
}

export class Person {
  static async connect(server, { id, user_id, name, token }) {
    const person = new Person(server, user_id ?? id, name ?? 'bot', token);
    await person.start();
    return person;
  }

  constructor(server, id, name, token) {
    Object.assign(this, { id, name, token, events: [], waiting: new Set() });
    this.web = webClient(server, token);
    this.rtm = new RTMClient(token, {
      slackApiUrl: server.api,
      logLevel: LogLevel.ERROR,
      replyAckOnReconnectTimeout: 1, // how long the SDK waits before it calls itself ready
      ...server.rtm, // more options: whom to trust
    });
    this.rtm.on('slack_event', (type, event) => {
      this.events.push(event);
      for (const check of [...this.waiting]) check();
    });
  }

  async start() {
    const ready = new Promise((resolve) => this.rtm.once('ready', resolve));
    await this.rtm.start();
    await within(ready, WAIT_MS, `${this.name} to be ready`);
  }

  // The first event, of all so far and to come, that pred likes.
  sees(what, pred) {
    const found = new Promise((resolve) => {
      const check = () => {
        const event = this.events.find(pred);
        if (!event) return;
        this.waiting.delete(check);
        resolve(event);
      };
      this.waiting.add(check);
      check();
    });
    return within(found, WAIT_MS, `${this.name} to see ${what}`);
  }

  seesText(text) {
    return this.sees(`"${text}"`, (e) => e.type === 'message' && e.text === text);
  }

  // The events of one channel, in the order of their arrival.
  of(channel) {
    return this.events.filter((e) => channelOf(e) === channel);
  }
}

export function channelOf(e) {
  if (typeof e.channel === 'string') return e.channel;
  return e.channel?.id ?? e.item?.channel;
}

// Waits until everything that has happened so far has reached all of them: a marker goes to a channel that they share,
// and the log has one order.
let markers = 0;
export async function settled(people, channel) {
  const text = `marker ${process.pid}.${++markers}`;
  await people[0].web.chat.postMessage({ channel, text });
  await Promise.all(people.map((p) => p.seesText(text)));
}

// An event in a few words, for comparing sequences: "message:hello", "message_changed:hi", "reaction_added:tada".
export function brief(e) {
  const kind = e.subtype ?? e.type;
  return `${kind}:${e.message?.text ?? e.reaction ?? e.text ?? e.user ?? e.deleted_ts ?? ''}`;
}
