// go run ./cmd/sim [PORT]: a my-thing machine. Port 0: any; the first line says which.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"bedplate-my-thing/sim"
)

func main() {
	port := 9100
	if len(os.Args) > 1 {
		port, _ = strconv.Atoi(os.Args[1])
	}
	machine, err := sim.Start(port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("a my-thing at 127.0.0.1 port %d; Ctrl-C ends it\n", machine.Port)
	for range time.Tick(200 * time.Millisecond) {
		machine.Step()
	}
}
