// my-thing: writes what comes to a CSV file, and goes on where it stopped: ./my-thing [-file F] [-rows N] [SELECTOR…]
//
// A program of its own beside Bedplate, and a client of bedplate.api.v1 only, made from protos/ alone.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"bedplate-my-thing/pb/api"
)

const (
	credit     = 4               // responses that may be under way
	againAfter = 2 * time.Second // when no Bedplate answers
	largest    = 16 << 20        // bytes of a message, as the contract says
	isoMillis  = "2006-01-02T15:04:05.000"
)

// book is the file, and beside it the token of what is in it. After a crash the last update may stand there twice.
type book struct {
	file string
	rows int
}

func (b *book) mark() string { return b.file + ".token" }

// token is how far the file is; nil: nothing was written.
func (b *book) token() ([]byte, error) {
	token, err := os.ReadFile(b.mark())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return token, err
}

func (b *book) add(rows [][]string, token []byte) error {
	file, err := os.OpenFile(b.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	err = errors.Join(csv.NewWriter(file).WriteAll(rows), file.Close())
	if err == nil {
		b.rows += len(rows)
		err = os.WriteFile(b.mark(), token, 0o644)
	}
	return err
}

// follow writes updates until there are so many rows; 0: until the stream ends.
func (b *book) follow(ctx context.Context, live api.LiveClient, selectors []string, wanted int) error {
	token, err := b.token()
	if err != nil {
		return err
	}
	stream, err := live.Subscribe(ctx)
	if err != nil {
		return err
	}
	open := &api.SubscribeOpen{Selectors: selectors, ResumeToken: token, Credit: credit}
	stream.Send(&api.SubscribeRequest{What: &api.SubscribeRequest_Open{Open: open}}) // whatever is wrong, Recv says it
	for known := (names{}); wanted == 0 || b.rows < wanted; {
		update, err := stream.Recv()
		if err != nil {
			return err
		}
		if update.Lost > 0 {
			log.Printf("%d records were gone before", update.Lost)
		}
		var rows [][]string
		known.learn(update.Tables)
		for _, one := range update.Records {
			rows = append(rows, known.rows(one.GetBatch())...)
		}
		if err := b.add(rows, update.ResumeToken); err != nil {
			return err
		}
		stream.Send(&api.SubscribeRequest{What: &api.SubscribeRequest_Credit{Credit: 1}})
	}
	return nil
}

func run(file string, rows int, selectors []string) error {
	bedplate, err := announced()
	if err != nil {
		return err
	}
	size := grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largest))
	kernel, err := grpc.NewClient(bedplate.Address, size, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer kernel.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+bedplate.Token)
	b := &book{file: file}
	for {
		err := b.follow(ctx, api.NewLiveClient(kernel), selectors, rows)
		if code := status.Code(err); code != codes.Unavailable && code != codes.Aborted {
			return err
		}
		log.Print(status.Convert(err).Message()) // it went away, or cut us
		time.Sleep(againAfter)
	}
}

func main() {
	file := flag.String("file", "my-thing.csv", "where to")
	rows := flag.Int("rows", 0, "end after so many; 0: never")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("my-thing: ")
	if err := run(*file, *rows, flag.Args()); err != nil {
		var told interface{ GRPCStatus() *status.Status }
		if errors.As(err, &told) {
			err = errors.New(told.GRPCStatus().Message())
		}
		fmt.Fprintln(os.Stderr, "my-thing: "+err.Error())
		os.Exit(2)
	}
}

func nanoseconds(at int64) string { return time.Unix(0, at).UTC().Format(isoMillis) }

func decimal(number float64) string { return strconv.FormatFloat(number, 'g', -1, 64) }
