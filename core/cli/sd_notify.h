/* sd_notify.h - what a service manager is told: datagrams to $NOTIFY_SOCKET. Without one nothing happens. */
#ifndef CLI_SD_NOTIFY_H
#define CLI_SD_NOTIFY_H

#include "base/base.h"

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment: children are not it. */
void sd_notify_begin(void);
/* "READY=1\nSTATUS=…". Never waits. */
void sd_notify(const char *state);
/* RELOADING=1 with the clock that the protocol wants; sd_notify("READY=1") ends it. */
void sd_notify_reloading(void);
/* WATCHDOG=1, when one is waited for. Only from a loop that really turns. */
void sd_notify_alive(void);
/* How often it is waited for; 0: not at all. */
int64_t sd_watchdog_us(void);

#endif
