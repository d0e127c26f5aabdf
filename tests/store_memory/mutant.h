/* mutant.h - faults that show whether the conformance suite can fail. Only the second build of this module has them
 * (STORE_MUTANTS); the environment variable STORE_MEMORY_MUTANT names the one that is on. */
#ifndef STORE_MEMORY_MUTANT_H
#define STORE_MEMORY_MUTANT_H

#define MUTANTS(X)                          \
    X(conditions_after_the_writes)          \
    X(insert_is_no_condition)               \
    X(clash_keeps_the_first_writes)         \
    X(refused_batches_take_a_seq)           \
    X(refused_batches_take_an_lsn)          \
    X(claims_unseen_in_their_group)         \
    X(claims_for_ever)                      \
    X(claims_after_the_conditions)          \
    X(claims_answer_the_retrys_value)       \
    X(trim_forgets_claims)                  \
    X(trim_takes_the_last_event)            \
    X(trim_moves_back)                      \
    X(trim_of_refused_batches)              \
    X(cursors_of_refused_batches)           \
    X(cursors_never_go_back)                \
    X(no_max_bytes)                         \
    X(gap_one_too_early)                    \
    X(no_gap)                               \
    X(max_is_set)                           \
    X(add_to_null_is_null)                  \
    X(upsert_keeps_old_columns)             \
    X(deletes_by_the_first_bytes)           \
    X(unique_nulls_clash)                   \
    X(texts_end_at_a_nul)                   \
    X(numbers_are_subtracted)               \
    X(empty_is_null)                        \
    X(open_bounds_are_closed)               \
    X(bounds_let_nulls_in)                  \
    X(never_more)                           \
    X(rows_and_seq_of_two_snapshots)        \
    X(gets_one_commit_late)                 \
    X(answers_before_durable)               \
    X(durable_in_any_order)                 \
    X(background_starves)                   \
    X(close_drops_what_waits)               \
    X(wrong_batches_take_their_group_along) \
    X(skip_is_lost)

#define MUTANT_ENUM(name) M_##name,
enum mutant { M_none, MUTANTS(MUTANT_ENUM) M_count };

#ifdef STORE_MUTANTS
#define MUTANT(s, name) ((s)->mutant == M_##name)
#else
#define MUTANT(s, name) ((void)(s), 0)
#endif

#endif
