#!/bin/bash
# storage_mutants.sh - can the suite for storage/1 fail? Each mutant is a fault of store_memory that some test must find.
# Prints TAP: the mutant, and the test that caught it.
#
# usage: tests/conformance/storage_mutants.sh [short|long] [BUILD-DIR]
#   short (the default): each mutant against the one test that is named for it; long: against the whole suite
set -uo pipefail
cd "$(dirname "$0")/../.."
how=${1:-short} build=${2:-build/gcc}
n=0 failures=0

# The mutant, and the test that is there for it.
mutants=(
    "conditions_after_the_writes     batches/conditions_look_at_what_was_there_before_the_batch"
    "insert_is_no_condition          batches/an_insert_conflicts_on_its_key_and_on_a_unique_index"
    "clash_keeps_the_first_writes    batches/a_clash_found_after_the_first_write_refuses_that_batch_alone"
    "refused_batches_take_a_seq      order/seq_is_dense_for_each_workspace"
    "refused_batches_take_an_lsn     order/durable_names_batches_in_order_each_before_its_answer"
    "claims_unseen_in_their_group    claims/a_claim_is_seen_inside_its_own_group"
    "claims_for_ever                 claims/a_claim_holds_for_24_hours_and_no_longer"
    "claims_after_the_conditions     claims/a_retry_gets_its_answer_though_its_first_effect_stands_in_its_way"
    "claims_answer_the_retrys_value  claims/a_claim_is_answered_with_the_first_ones_value"
    "trim_forgets_claims             claims/a_claim_outlives_the_trimming_of_its_event"
    "trim_takes_the_last_event       log/the_last_event_always_stays_so_that_seq_goes_on"
    "trim_moves_back                 log/a_trimmed_log_answers_a_gap_exactly_where_it_has_one"
    "trim_of_refused_batches         log/a_refused_batch_trims_nothing"
    "cursors_of_refused_batches      log/a_refused_batch_moves_no_cursor"
    "cursors_never_go_back           log/a_cursor_is_set_moved_and_forgotten_with_its_batch"
    "no_max_bytes                    log/an_answer_ends_where_its_bytes_do"
    "gap_one_too_early               log/a_trimmed_log_answers_a_gap_exactly_where_it_has_one"
    "no_gap                          log/a_reader_that_fell_behind_rebuilds_from_the_rows_and_follows"
    "max_is_set                      batches/updates_set_add_and_keep_the_maximum"
    "add_to_null_is_null             batches/updates_set_add_and_keep_the_maximum"
    "upsert_keeps_old_columns        batches/an_upsert_takes_the_place_of_the_row_that_is_there"
    "deletes_by_the_first_bytes      batches/a_delete_takes_one_row_or_a_range"
    "unique_nulls_clash              batches/a_unique_index_sees_no_clash_of_nulls"
    "texts_end_at_a_nul              values/texts_and_blobs_are_ordered_byte_by_byte"
    "numbers_are_subtracted          values/numbers_keep_their_order_to_their_extremes"
    "empty_is_null                   values/an_empty_text_is_no_null_and_missing_columns_are"
    "open_bounds_are_closed          reads/a_scan_of_the_key_keeps_to_prefix_bounds_and_direction"
    "bounds_let_nulls_in             reads/a_scan_of_an_index_is_in_its_order_then_in_that_of_the_key"
    "never_more                      reads/a_scans_limit_cuts_and_says_so_and_its_offset_skips"
    "rows_and_seq_of_two_snapshots   reads/a_scan_sees_whole_batches_and_the_seq_of_its_rows"
    "gets_one_commit_late            reads/a_read_sees_what_was_reported_before_it_was_asked"
    "answers_before_durable          order/seq_is_dense_for_each_workspace"
    "durable_in_any_order            order/durable_names_batches_in_order_each_before_its_answer"
    "background_starves              order/background_batches_never_starve"
    "close_drops_what_waits          order/a_close_answers_what_was_asked_before_it"
    "wrong_batches_take_their_group_along batches/a_batch_that_does_not_fit_its_tables_is_refused_and_harms_nobody"
    "skip_is_lost                    log/events_come_back_as_they_were_given"
)

suite() { "$build/bin/conformance_storage" "$build/lib/testmods/store_memory_mutants.so" --seed 7 "$@"; }

result() { # ok|not-ok TEXT
    n=$((n + 1))
    if [ "$1" = ok ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        failures=$((failures + 1))
    fi
}

check_mutant() { # MUTANT TEST
    local args=(--only "$2") caught
    [ "$how" = short ] || args=()
    caught=$(STORE_MEMORY_MUTANT=$1 suite "${args[@]}" | sed -n 's/^not ok [0-9]* - \([^ ]*\).*/\1/p')
    if grep -qxF "$2" <<<"$caught"; then
        result ok "$1: caught by $2$(awk 'NR == 2 { print " and others" ; exit }' <<<"$caught")"
    else
        result not-ok "$1: not caught by $2${caught:+, but by $(head -n 1 <<<"$caught")}"
    fi
}

without=$(suite | grep -c '^not ok')
if [ "$without" -eq 0 ]; then result ok "none: passes"; else result not-ok "none: $without tests fail"; fi
for line in "${mutants[@]}"; do
    read -r mutant test <<<"$line"
    check_mutant "$mutant" "$test"
done
known=$(sed -n 's/^ *X(\([a-z_]*\)).*/\1/p' tests/store_memory/mutant.h | sort)
listed=$(printf '%s\n' "${mutants[@]}" | awk '{ print $1 }' | sort)
if [ "$known" = "$listed" ]; then result ok "every mutant is in the list"; else result not-ok "the list of mutants is not that of mutant.h"; fi
echo "1..$n"
[ "$failures" -eq 0 ]
