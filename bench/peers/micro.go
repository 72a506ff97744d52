// The workloads in Go. PEER_PROCS in the environment is GOMAXPROCS; without it
// Go takes all processors, as it does by default.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	napMs     = 10
	firstMs   = 1000
	spreadMs  = 1000
	fileBytes = 1024
	permits   = 100
)

type job struct{ operations, size int }

func check(what string, is, wanted int) {
	if is != wanted {
		fmt.Fprintf(os.Stderr, "%s: %d instead of %d\n", what, is, wanted)
		os.Exit(1)
	}
}

func yield(j job) time.Duration {
	var group sync.WaitGroup
	var sum int64
	start := time.Now()
	group.Add(j.size)
	for t := 0; t < j.size; t++ {
		go func() {
			turns := 0
			for i := 0; i < j.operations/j.size; i++ {
				turns++
				runtime.Gosched()
			}
			atomic.AddInt64(&sum, int64(turns))
			group.Done()
		}()
	}
	group.Wait()
	took := time.Since(start)
	check("turns", int(sum), j.operations)
	return took
}

// What awaits one goroutine in Go is a channel.
func spawn(j job) time.Duration {
	sum := 0
	done := make(chan struct{})
	start := time.Now()
	for i := 0; i < j.operations; i++ {
		go func() {
			sum++
			done <- struct{}{}
		}()
		<-done
	}
	took := time.Since(start)
	check("tasks", sum, j.operations)
	return took
}

func gather(j job) time.Duration {
	var sum int64
	start := time.Now()
	for done := 0; done < j.operations; done += j.size {
		var group sync.WaitGroup
		group.Add(j.size)
		for i := 0; i < j.size; i++ {
			go func() {
				atomic.AddInt64(&sum, 1)
				group.Done()
			}()
		}
		group.Wait()
	}
	took := time.Since(start)
	check("tasks", int(sum), j.operations)
	return took
}

func timeout(j job) time.Duration {
	stopped := 0
	start := time.Now()
	for i := 0; i < j.operations; i++ {
		if time.NewTimer(time.Minute).Stop() {
			stopped++
		}
	}
	took := time.Since(start)
	check("timers", stopped, j.operations)
	return took
}

// A waiter, and one who gives it what it waits for.
func rally(j job, timed bool) time.Duration {
	balls := make(chan int)
	sum := 0
	start := time.Now()
	go func() {
		for i := 0; i < j.operations; i++ {
			balls <- 1
		}
	}()
	for i := 0; i < j.operations; i++ {
		if !timed {
			sum += <-balls
			continue
		}
		timer := time.NewTimer(time.Minute)
		select {
		case ball := <-balls:
			sum += ball
			timer.Stop()
		case <-timer.C:
		}
	}
	took := time.Since(start)
	check("waits", sum, j.operations)
	return took
}

func pass(j job, capacity int) time.Duration {
	items := make(chan int, capacity)
	start := time.Now()
	go func() {
		for i := 0; i < j.operations; i++ {
			items <- i
		}
		close(items)
	}()
	sum := 0
	for item := range items {
		sum += item
	}
	took := time.Since(start)
	check("sum of items", sum, j.operations*(j.operations-1)/2)
	return took
}

func semaphore(j job) time.Duration {
	slots := make(chan struct{}, permits)
	var inside, most, done int64
	var mutex sync.Mutex
	change := func(by int64) {
		mutex.Lock()
		inside += by
		if inside > most {
			most = inside
		}
		if by < 0 {
			done++
		}
		mutex.Unlock()
	}
	start := time.Now()
	for begun := 0; begun < j.operations; begun += j.size {
		var group sync.WaitGroup
		group.Add(j.size)
		for i := 0; i < j.size; i++ {
			go func() {
				slots <- struct{}{}
				change(1)
				runtime.Gosched()
				change(-1)
				<-slots
				group.Done()
			}()
		}
		group.Wait()
	}
	took := time.Since(start)
	check("workers", int(done), j.operations)
	if most > permits {
		check("at once", int(most), permits)
	}
	return took
}

func nap(j job) time.Duration {
	var group sync.WaitGroup
	var done int64
	start := time.Now()
	group.Add(j.size)
	for i := 0; i < j.size; i++ {
		go func() {
			time.Sleep(napMs * time.Millisecond)
			atomic.AddInt64(&done, 1)
			group.Done()
		}()
	}
	group.Wait()
	took := time.Since(start)
	check("naps", int(done), j.size)
	return took
}

func memory(name string) float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == name {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib * 1024
		}
	}
	return 0
}

// Seconds beyond the last, and how many there were at most: others may have
// ended before the last is made.
func sleepMillion(count int) (float64, int) {
	var group sync.WaitGroup
	var awake int64
	most := 0
	start := time.Now()
	group.Add(count)
	for i := 0; i < count; i++ {
		wake := time.Duration(firstMs+i*2654435761%spreadMs) * time.Millisecond
		go func() {
			time.Sleep(time.Until(start.Add(wake)))
			if time.Since(start) >= wake {
				atomic.AddInt64(&awake, 1)
			}
			group.Done()
		}()
		if alive := i + 1 - int(atomic.LoadInt64(&awake)); alive > most {
			most = alive
		}
	}
	group.Wait()
	last := (firstMs + spreadMs - 1) * time.Millisecond
	beyond := time.Since(start.Add(last)).Seconds()
	check("awake in time", int(awake), count)
	return beyond, most
}

func million(j job) {
	before := memory("VmRSS:")
	beyond, most := sleepMillion(j.size)
	fmt.Printf("bytes %.0f\n", (memory("VmHWM:")-before)/float64(most))
	fmt.Printf("at_once %d\n", most)
	fmt.Printf("s %.4f\n", beyond)
	beyond, _ = sleepMillion(j.size)
	fmt.Printf("again_s %.4f\n", beyond)
}

// A goroutine a file, 64 of them reading: each of those takes a thread.
func files(j job) time.Duration {
	directory := os.Getenv("BENCH_FILES")
	slots := make(chan struct{}, 64)
	var group sync.WaitGroup
	var bytes int64
	start := time.Now()
	group.Add(j.operations)
	for i := 0; i < j.operations; i++ {
		slots <- struct{}{}
		go func(i int) {
			data, err := os.ReadFile(directory + "/" + strconv.Itoa(i))
			if err != nil {
				panic(err)
			}
			atomic.AddInt64(&bytes, int64(len(data)))
			<-slots
			group.Done()
		}(i)
	}
	group.Wait()
	took := time.Since(start)
	check("bytes", int(bytes), j.operations*fileBytes)
	return took
}

var workloads = map[string]func(job) time.Duration{
	"yield":        yield,
	"spawn":        spawn,
	"gather":       gather,
	"timeout":      timeout,
	"wait":         func(j job) time.Duration { return rally(j, false) },
	"wait-timeout": func(j job) time.Duration { return rally(j, true) },
	"handoff":      func(j job) time.Duration { return pass(j, 0) },
	"queue":        func(j job) time.Duration { return pass(j, 128) },
	"semaphore":    semaphore,
	"sleep":        nap,
	"files":        files,
}

func main() {
	if procs, err := strconv.Atoi(os.Getenv("PEER_PROCS")); err == nil {
		runtime.GOMAXPROCS(procs)
	}
	name := os.Args[1]
	j := job{size: 1}
	j.operations, _ = strconv.Atoi(os.Args[2])
	if len(os.Args) > 3 {
		j.size, _ = strconv.Atoi(os.Args[3])
	}
	if name == "million" {
		million(j)
		return
	}
	run, is_known := workloads[name]
	if !is_known {
		fmt.Fprintln(os.Stderr, name+": no such workload")
		os.Exit(2)
	}
	run(j) // to warm up
	took := run(j)
	if name == "sleep" {
		fmt.Printf("us %.1f\n", float64(took.Nanoseconds())/1e3-napMs*1e3)
		return
	}
	fmt.Printf("ns %.3f\n", float64(took.Nanoseconds())/float64(j.operations))
}
