/* types.c - a shared object that has every public type, with debug information: what abidw and abidiff look at
 * (tests/abi/gate.sh). A struct or a function type of include/taut that is not here fails the gate. */
#include "taut/svc/auth.h"
#include "taut/svc/conversation.h"
#include "taut/svc/directory.h"
#include "taut/svc/storage.h"
#include "taut/taut.h"

#define STRUCT(s)                               \
    TAUT_EXPORT extern struct s *const has_##s; \
    struct s *const has_##s = NULL
#define TYPE(t)                         \
    TAUT_EXPORT extern t const has_##t; \
    t const has_##t = 0

/* taut/abi.h */
STRUCT(taut_array);

/* taut/call.h */
STRUCT(taut_actor);
STRUCT(taut_call);
STRUCT(taut_arg);
STRUCT(taut_argv);
STRUCT(taut_outcome);

/* taut/command.h */
STRUCT(taut_command);

/* taut/conn.h */
STRUCT(taut_topic);
STRUCT(taut_accept);
STRUCT(taut_socket_route);

/* taut/event.h */
STRUCT(taut_delta);
STRUCT(taut_event);
STRUCT(taut_logged);
STRUCT(taut_events);
STRUCT(taut_subscription);

/* taut/hook.h */
STRUCT(taut_observed);
STRUCT(taut_hook);
TYPE(taut_filter_fn);
TYPE(taut_observe_fn);
TYPE(taut_provide_fn);

/* taut/host.h */
STRUCT(taut_server_info);
STRUCT(taut_host);
TYPE(taut_op_fn);
TYPE(taut_fn);
TYPE(taut_task_fn);
TYPE(taut_task_done);
TYPE(taut_start_fn);

/* taut/json.h */
STRUCT(taut_json);

/* taut/method.h */
STRUCT(taut_method);

/* taut/module.h */
STRUCT(taut_metric);
STRUCT(taut_module);

/* taut/msg.h */
STRUCT(taut_channel);
STRUCT(taut_draft);

/* taut/op.h */
STRUCT(taut_completion);

/* taut/option.h */
STRUCT(taut_opt);
STRUCT(taut_opt_pair);
STRUCT(taut_reconfigure);
TYPE(taut_check_error_fn);

/* taut/route.h */
STRUCT(taut_route);
STRUCT(taut_body);
STRUCT(taut_part);
STRUCT(taut_file);
STRUCT(taut_route_host);

/* taut/service.h */
STRUCT(taut_svc);

/* taut/table.h */
STRUCT(taut_val);
STRUCT(taut_col);
STRUCT(taut_index);
STRUCT(taut_table);
STRUCT(taut_row);
STRUCT(taut_rows);
STRUCT(taut_scan);
STRUCT(taut_set);

/* taut/types.h */
STRUCT(taut_str);
STRUCT(taut_mod);
STRUCT(taut_kv);
TYPE(taut_op);
TYPE(taut_conn);
TYPE(taut_timer);
TYPE(taut_poll);
TYPE(taut_sub);

/* taut/svc/auth.h */
STRUCT(taut_auth_v1);

/* taut/svc/conversation.h */
STRUCT(taut_new_message);
STRUCT(taut_posted);
STRUCT(taut_conversation_v1);

/* taut/svc/directory.h */
STRUCT(taut_workspace);
STRUCT(taut_user);
STRUCT(taut_bot);
STRUCT(taut_user_create);
STRUCT(taut_directory_v1);

/* taut/svc/storage.h */
STRUCT(taut_table_ref);
STRUCT(taut_cond);
STRUCT(taut_write);
STRUCT(taut_event_rec);
STRUCT(taut_cursor);
STRUCT(taut_batch_view);
STRUCT(taut_commit_result);
STRUCT(taut_durable);
STRUCT(taut_get_req);
STRUCT(taut_get_result);
STRUCT(taut_event_rows);
STRUCT(taut_log_head);
STRUCT(taut_log_heads);
STRUCT(taut_cursors);
STRUCT(taut_open_result);
STRUCT(taut_storage_v1);
