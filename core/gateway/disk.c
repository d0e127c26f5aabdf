/* disk.c - a gateway's pool for the disk. Not libuv's, which is the whole process's; threads start with the first job.
 */
#include "gateway/disk.h"

#include <signal.h>

static void thread(void *arg) {
    struct disk *d = arg;
    sigset_t all; /* signals are the main thread's; a file over its limit of size is an error like others */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    uv_mutex_lock(&d->lock);
    for (;;) {
        while (!d->first && !d->stop) uv_cond_wait(&d->more, &d->lock);
        struct disk_job *j = d->first;
        if (!j) break;
        d->first = j->next;
        if (!d->first) d->last = NULL;
        uv_mutex_unlock(&d->lock);
        j->work(j);
        if (mailbox_push(&d->finished, &j->mail)) uv_async_send(&d->wake);
        uv_mutex_lock(&d->lock);
    }
    uv_mutex_unlock(&d->lock);
}

static void deliver(struct disk *d) {
    for (struct mail *m = mailbox_take(&d->finished), *next; m; m = next) {
        struct disk_job *j = CONTAINER_OF(m, struct disk_job, mail);
        next = m->next;
        d->jobs--;
        j->done(j);
    }
}

static void on_wake(uv_async_t *a) {
    deliver(a->data);
}

void disk_open(struct disk *d, uv_loop_t *loop) {
    memset(d, 0, sizeof *d);
    if (uv_async_init(loop, &d->wake, on_wake) != 0 || uv_mutex_init(&d->lock) != 0 || uv_cond_init(&d->more) != 0)
        panic("no handles for the disk's threads");
    d->wake.data = d;
}

void disk_add(struct disk *d, struct disk_job *j) {
    j->next = NULL;
    d->jobs++;
    if (d->started < DISK_THREADS && uv_thread_create(&d->threads[d->started], thread, d) == 0) d->started++;
    if (!d->started) { /* no threads are to be had: then here */
        j->work(j);
        if (mailbox_push(&d->finished, &j->mail)) uv_async_send(&d->wake);
        return;
    }
    uv_mutex_lock(&d->lock);
    *(d->last ? &d->last->next : &d->first) = j;
    d->last = j;
    uv_cond_signal(&d->more);
    uv_mutex_unlock(&d->lock);
}

void disk_close(struct disk *d) {
    bool more;
    do { /* what ends may bring more */
        uv_mutex_lock(&d->lock);
        d->stop = true;
        uv_cond_broadcast(&d->more);
        uv_mutex_unlock(&d->lock);
        for (uint32_t i = 0; i < d->started; i++) uv_thread_join(&d->threads[i]);
        d->started = 0;
        d->stop = false;
        deliver(d);
        more = d->started || atomic_load(&d->finished.head);
    } while (more);
    uv_cond_destroy(&d->more);
    uv_mutex_destroy(&d->lock);
    uv_close((uv_handle_t *)&d->wake, NULL);
}
