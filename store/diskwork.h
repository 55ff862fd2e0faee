/*
 * Worker threads for what may block on a disk. One of store's two doors to
 * libuv; knows nothing of mail.
 */
#ifndef STORE_DISKWORK_H
#define STORE_DISKWORK_H

struct diskwork;
struct disk_timer;
struct uv_loop_s;

/* One thing to do. The caller's memory, left alone from the submission until
 * done() is called; it may then be used again. */
struct disk_task {
    void (*work)(void *owner); /* on a worker thread */
    void (*done)(void *owner); /* on the loop's thread, afterwards */
    void *owner;
};

/* @loop lives at least as long. diskwork_free() when nothing is under way. */
struct diskwork *diskwork_new(struct uv_loop_s *loop);
void diskwork_free(struct diskwork *diskwork);

/* Have work() done on a worker, then done() on the loop. */
void diskwork_run(struct diskwork *diskwork, struct disk_task *task);

/* Only done(), but not before @delay_ms have passed, and never from inside
 * this call. */
void diskwork_later(struct diskwork *diskwork, struct disk_task *task,
                    unsigned delay_ms);

/* A timer that can be stopped; it calls @fired(@owner) once per start. */
struct disk_timer *diskwork_timer_new(struct diskwork *diskwork,
                                      void (*fired)(void *owner), void *owner);
void diskwork_timer_start(struct disk_timer *timer, unsigned delay_ms);
void diskwork_timer_stop(struct disk_timer *timer);

/* Stop and free; the memory goes in a later turn of the loop. */
void diskwork_timer_free(struct disk_timer *timer);

#endif
