// GET /hello on hyper, on one thread. The argument is the port.
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Request, Response, Server, StatusCode};
use std::convert::Infallible;

async fn hello(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let mut response = Response::new(Body::from("hello, world\n"));
    if request.uri().path() == "/hello" {
        let kind = "text/plain".parse().expect("a header's value");
        response.headers_mut().insert("content-type", kind);
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

// hyper wants to spawn on any thread unless it is told where.
#[derive(Clone, Copy)]
struct Here;

impl<F> hyper::rt::Executor<F> for Here
where
    F: std::future::Future + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async {
            future.await;
        });
    }
}

async fn serve(port: u16) -> Result<(), hyper::Error> {
    let service =
        make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(hello)) });
    Server::bind(&([127, 0, 0, 1], port).into())
        .executor(Here)
        .tcp_nodelay(true)
        .serve(service)
        .await
}

fn main() {
    let port = std::env::args().nth(1).expect("the port");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    tasks
        .block_on(&runtime, serve(port.parse().expect("a port")))
        .expect("serving");
}
