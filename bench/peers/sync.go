// The workloads of bench_sync.c in Go: sync NAME OPERATIONS prints nanoseconds
// per operation. One processor, as an uvawait runtime has one thread.
package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"
)

func lockFree(n int) time.Duration {
	var mu sync.Mutex
	start := time.Now()
	for i := 0; i < n; i++ {
		mu.Lock()
		mu.Unlock()
	}
	return time.Since(start)
}

// Two that want the lock all the time, and yield while they hold it.
func lockContended(n int) time.Duration {
	var mu sync.Mutex
	var group sync.WaitGroup
	start := time.Now()
	for k := 0; k < 2; k++ {
		group.Add(1)
		go func() {
			for i := 0; i < n/2; i++ {
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
			}
			group.Done()
		}()
	}
	group.Wait()
	return time.Since(start)
}

func channel(n int, capacity int) time.Duration {
	items := make(chan int, capacity)
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			items <- i
		}
		close(items)
	}()
	sum := 0
	for item := range items {
		sum += item
	}
	took := time.Since(start)
	if sum != n*(n-1)/2 {
		panic("items are missing")
	}
	return took
}

// There and back is one operation.
func pingpong(n int) time.Duration {
	there, back := make(chan int), make(chan int)
	start := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			back <- <-there
		}
	}()
	for i := 0; i < n; i++ {
		there <- i
		if <-back != i {
			panic("another ball came back")
		}
	}
	return time.Since(start)
}

func feed(channels []chan int, n int) {
	for i := 0; i < n; i++ {
		channels[i%len(channels)] <- i
	}
}

func make_(count int) []chan int {
	channels := make([]chan int, count)
	for i := range channels {
		channels[i] = make(chan int)
	}
	return channels
}

func select2(n int) time.Duration {
	c := make_(2)
	start := time.Now()
	go feed(c, n)
	for i := 0; i < n; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		}
	}
	return time.Since(start)
}

func select10(n int) time.Duration {
	c := make_(10)
	start := time.Now()
	go feed(c, n)
	for i := 0; i < n; i++ {
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-c[4]:
		case <-c[5]:
		case <-c[6]:
		case <-c[7]:
		case <-c[8]:
		case <-c[9]:
		}
	}
	return time.Since(start)
}

// A select statement of a hundred cases, as a program would make it that does
// not know their number: by reflection.
func select100(n int) time.Duration {
	c := make_(100)
	cases := make([]reflect.SelectCase, len(c))
	for i := range c {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv,
			Chan: reflect.ValueOf(c[i])}
	}
	start := time.Now()
	go feed(c, n)
	for i := 0; i < n; i++ {
		reflect.Select(cases)
	}
	return time.Since(start)
}

// One event wakes n waiters.
func event(n int) time.Duration {
	set := make(chan struct{})
	var ready, done sync.WaitGroup
	ready.Add(n)
	done.Add(n)
	for i := 0; i < n; i++ {
		go func() {
			ready.Done()
			<-set
			done.Done()
		}()
	}
	ready.Wait()
	runtime.Gosched()
	start := time.Now()
	close(set)
	done.Wait()
	return time.Since(start)
}

func main() {
	runtime.GOMAXPROCS(1)
	n, _ := strconv.Atoi(os.Args[2])
	var took time.Duration
	switch os.Args[1] {
	case "lock":
		took = lockFree(n)
	case "contended":
		took = lockContended(n)
	case "rendezvous":
		took = channel(n, 0)
	case "pingpong":
		took = pingpong(n)
	case "buffer":
		took = channel(n, 128)
	case "select2":
		took = select2(n)
	case "select10":
		took = select10(n)
	case "select100":
		took = select100(n)
	case "event":
		took = event(n)
	default:
		panic("no such workload")
	}
	fmt.Printf("%.2f\n", float64(took.Nanoseconds())/float64(n))
}
