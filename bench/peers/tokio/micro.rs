// The workloads on tokio: its scheduler of one thread, or, with PEER_THREADS in
// the environment, that of several.
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, Semaphore};
use tokio::task::{spawn, yield_now, JoinHandle};
use tokio::time::{sleep, sleep_until, timeout};

const NAP: Duration = Duration::from_millis(10);
const FIRST_MS: u64 = 1000;
const SPREAD_MS: u64 = 1000;
const FILE_BYTES: u64 = 1024;
const PERMITS: usize = 100;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
struct Job {
    operations: u64,
    size: u64,
}

fn check(what: &str, is: u64, wanted: u64) {
    if is != wanted {
        eprintln!("{}: {} instead of {}", what, is, wanted);
        std::process::exit(1);
    }
}

async fn join_all(tasks: &mut Vec<JoinHandle<()>>) {
    for task in tasks.drain(..) {
        task.await.expect("a task");
    }
}

async fn yields(job: Job) -> Duration {
    let sum = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks: Vec<_> = (0..job.size)
        .map(|_| {
            let sum = sum.clone();
            spawn(async move {
                let mut turns = 0;
                for _ in 0..job.operations / job.size {
                    turns += 1;
                    yield_now().await;
                }
                sum.fetch_add(turns, Relaxed);
            })
        })
        .collect();
    join_all(&mut tasks).await;
    let took = start.elapsed();
    check("turns", sum.load(Relaxed), job.operations);
    took
}

async fn spawn_one(job: Job) -> Duration {
    let mut sum = 0;
    let start = Instant::now();
    for _ in 0..job.operations {
        sum += spawn(async { 1 }).await.expect("a task");
    }
    let took = start.elapsed();
    check("tasks", sum, job.operations);
    took
}

async fn gather(job: Job) -> Duration {
    let sum = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::with_capacity(job.size as usize);
    let mut done = 0;
    let start = Instant::now();
    while done < job.operations {
        for _ in 0..job.size {
            let sum = sum.clone();
            tasks.push(spawn(async move {
                sum.fetch_add(1, Relaxed);
            }));
        }
        join_all(&mut tasks).await;
        done += job.size;
    }
    let took = start.elapsed();
    check("tasks", sum.load(Relaxed), job.operations);
    took
}

// Polls a future once; 1 if it has to wait.
struct Look<'a, F>(Pin<&'a mut F>);

impl<F: Future> Future for Look<'_, F> {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        Poll::Ready(self.0.as_mut().poll(context).is_pending() as u64)
    }
}

// A timer is armed when it is polled first.
async fn timeouts(job: Job) -> Duration {
    let mut pending = 0;
    let start = Instant::now();
    for _ in 0..job.operations {
        let timer = sleep(MINUTE);
        tokio::pin!(timer);
        pending += Look(timer).await;
    }
    let took = start.elapsed();
    check("timers", pending, job.operations);
    took
}

// A waiter, and one who completes what it waits for.
async fn rally(job: Job, timed: bool) -> Duration {
    let ball: Arc<Mutex<Option<oneshot::Sender<u64>>>> = Arc::default();
    let theirs = ball.clone();
    let start = Instant::now();
    let waiter = spawn(async move {
        let mut sum = 0;
        for _ in 0..job.operations {
            let (sender, receiver) = oneshot::channel();
            *theirs.lock().unwrap() = Some(sender);
            sum += if timed {
                timeout(MINUTE, receiver).await.expect("in time").unwrap()
            } else {
                receiver.await.unwrap()
            };
        }
        sum
    });
    let server = spawn(async move {
        let mut done = 0;
        while done < job.operations {
            let sender = ball.lock().unwrap().take();
            if let Some(sender) = sender {
                sender.send(1).expect("a waiter");
                done += 1;
            }
            yield_now().await;
        }
    });
    let sum = waiter.await.expect("the waiter");
    server.await.expect("the server");
    let took = start.elapsed();
    check("waits", sum, job.operations);
    took
}

// tokio has no channel without a place; one is the nearest.
async fn pass(job: Job, capacity: usize) -> Duration {
    let (sender, mut receiver) = mpsc::channel(capacity);
    let start = Instant::now();
    spawn(async move {
        for i in 0..job.operations {
            sender.send(i).await.expect("a receiver");
        }
    });
    let mut sum = 0;
    while let Some(item) = receiver.recv().await {
        sum += item;
    }
    let took = start.elapsed();
    check("sum of items", sum, job.operations * (job.operations - 1) / 2);
    took
}

#[derive(Default)]
struct Shop {
    inside: AtomicU64,
    most: AtomicU64,
    done: AtomicU64,
}

async fn semaphore(job: Job) -> Duration {
    let slots = Arc::new(Semaphore::new(PERMITS));
    let shop = Arc::new(Shop::default());
    let mut tasks = Vec::with_capacity(job.size as usize);
    let mut begun = 0;
    let start = Instant::now();
    while begun < job.operations {
        for _ in 0..job.size {
            let (slots, shop) = (slots.clone(), shop.clone());
            tasks.push(spawn(async move {
                let _permit = slots.acquire().await.expect("a permit");
                let inside = shop.inside.fetch_add(1, Relaxed) + 1;
                shop.most.fetch_max(inside, Relaxed);
                yield_now().await;
                shop.inside.fetch_sub(1, Relaxed);
                shop.done.fetch_add(1, Relaxed);
            }));
        }
        join_all(&mut tasks).await;
        begun += job.size;
    }
    let took = start.elapsed();
    check("workers", shop.done.load(Relaxed), job.operations);
    if shop.most.load(Relaxed) > PERMITS as u64 {
        check("at once", shop.most.load(Relaxed), PERMITS as u64);
    }
    took
}

async fn naps(job: Job) -> Duration {
    let done = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks: Vec<_> = (0..job.size)
        .map(|_| {
            let done = done.clone();
            spawn(async move {
                sleep(NAP).await;
                done.fetch_add(1, Relaxed);
            })
        })
        .collect();
    join_all(&mut tasks).await;
    let took = start.elapsed();
    check("naps", done.load(Relaxed), job.size);
    took
}

fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse().ok()).unwrap_or(0.0) * 1024.0
}

async fn sleep_million(count: u64) -> f64 {
    let awake = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks = Vec::with_capacity(count as usize);
    for i in 0..count {
        let wake_ms = FIRST_MS + i * 2654435761 % SPREAD_MS;
        let due = start + Duration::from_millis(wake_ms);
        let awake = awake.clone();
        tasks.push(spawn(async move {
            sleep_until(due.into()).await;
            awake.fetch_add((Instant::now() >= due) as u64, Relaxed);
        }));
    }
    join_all(&mut tasks).await;
    let last = (FIRST_MS + SPREAD_MS - 1) as f64 / 1e3;
    let beyond = start.elapsed().as_secs_f64() - last;
    check("awake in time", awake.load(Relaxed), count);
    beyond
}

async fn million(job: Job) {
    let before = memory("VmRSS:");
    let beyond = sleep_million(job.size).await;
    let bytes = (memory("VmHWM:") - before) / job.size as f64;
    println!("bytes {:.0}\ns {:.4}", bytes, beyond);
    println!("again_s {:.4}", sleep_million(job.size).await);
}

async fn files(job: Job) -> Duration {
    let directory = std::env::var("BENCH_FILES").expect("BENCH_FILES");
    let start = Instant::now();
    let tasks: Vec<_> = (0..job.operations)
        .map(|i| spawn(tokio::fs::read(format!("{}/{}", directory, i))))
        .collect();
    let mut bytes = 0;
    for task in tasks {
        bytes += task.await.expect("a task").expect("a file").len() as u64;
    }
    let took = start.elapsed();
    check("bytes", bytes, job.operations * FILE_BYTES);
    took
}

async fn run(name: &str, job: Job) -> Duration {
    match name {
        "yield" => yields(job).await,
        "spawn" => spawn_one(job).await,
        "gather" => gather(job).await,
        "timeout" => timeouts(job).await,
        "wait" => rally(job, false).await,
        "wait-timeout" => rally(job, true).await,
        "handoff" => pass(job, 1).await,
        "queue" => pass(job, 128).await,
        "semaphore" => semaphore(job).await,
        "sleep" => naps(job).await,
        "files" => files(job).await,
        _ => {
            eprintln!("{}: no such workload", name);
            std::process::exit(2);
        }
    }
}

async fn start(name: String, job: Job) {
    if name == "million" {
        return million(job).await;
    }
    run(&name, job).await; // to warm up
    let ns = run(&name, job).await.as_nanos() as f64;
    if name == "sleep" {
        println!("us {:.1}", ns / 1e3 - NAP.as_micros() as f64);
    } else {
        println!("ns {:.3}", ns / job.operations as f64);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |i: usize| arguments.get(i).and_then(|text| text.parse().ok());
    let job = Job {
        operations: number(2).expect("the number of operations"),
        size: number(3).unwrap_or(1),
    };
    let mut builder = if std::env::var_os("PEER_THREADS").is_some() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build().expect("a runtime");
    let body = start(arguments[1].clone(), job);
    // The body is a task as the others are: to wake what block_on() itself runs
    // takes a system call.
    runtime.block_on(async { spawn(body).await.expect("the body") });
}
