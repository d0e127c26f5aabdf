/* control.h - the words on the control socket: lines of JSON.
 *
 *   client: {"command":"user create","args":{"name":"ada"}}
 *   server: {"progress":"…"}*  then  {"done":true,"status":0,"body":{…}}  or  {…,"status":-3,"error":"…","message":"…"}
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

enum { CONTROL_LINE_MAX = 1024 * 1024, CONTROL_CLIENTS_MAX = 16, CONTROL_FILE_MODE = 0600 };

#endif
