// GET /hello in Go's net/http. The argument is the port.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, "hello, world\n")
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
