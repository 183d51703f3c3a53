// client: a client of bedplate.api.v1, made from protos/ alone: ./client [-updates N] [-resume TOKEN] [SELECTOR…]
// Lists the tags, what they are, what they were in the last ten minutes, and what they become until Ctrl-C or N updates.
// A line is: what, path, time in ns since 1970 UTC, value, OPC UA StatusCode. The last line is the token to resume with.
package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"client/pb/api"
)

const credit = 4 // responses that may be under way

// announced is the running Bedplate of this user, as `bedplate run` tells it: address and token.
func announced() (found struct{ Address, Token string }) {
	config, _ := os.UserConfigDir()
	home := cmp.Or(os.Getenv("BEDPLATE_HOME"), filepath.Join(config, "bedplate"))
	files, _ := filepath.Glob(filepath.Join(home, "endpoints", "*.json"))
	if len(files) != 1 {
		log.Fatalf("%s/endpoints names %d running Bedplates, not one", home, len(files))
	}
	text, err := os.ReadFile(files[0])
	must(err)
	must(json.Unmarshal(text, &found))
	return found
}

// follow prints updates until there were as many as wished. open keeps the token that goes on after the last of them.
func follow(ctx context.Context, live api.LiveClient, open *api.SubscribeOpen, updates *int) error {
	known := names{}
	stream, err := live.Subscribe(ctx)
	if err != nil {
		return err
	}
	stream.Send(&api.SubscribeRequest{What: &api.SubscribeRequest_Open{Open: open}}) // whatever is wrong, Recv says it
	for ; *updates > 0; *updates-- {
		update, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, table := range update.Tables {
			known.learn(table.Tags)
		}
		for _, one := range update.Records {
			known.print("live", one.GetBatch())
		}
		open.ResumeToken = update.ResumeToken
		stream.Send(&api.SubscribeRequest{What: &api.SubscribeRequest_Credit{Credit: 1}})
	}
	return nil
}

func must(err error) {
	if err != nil {
		log.Fatal(status.Convert(err).Message())
	}
}

func main() {
	updates := flag.Int("updates", math.MaxInt, "end after so many")
	resume := flag.String("resume", "", "go on after this token")
	flag.Parse()
	token, err := hex.DecodeString(*resume)
	must(err)
	bedplate := announced()
	kernel, err := grpc.NewClient(bedplate.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+bedplate.Token)
	for page := range pages(api.NewCatalogClient(kernel).ListTags(ctx, &api.ListTagsRequest{Selectors: flag.Args()})) {
		for _, one := range page.Tags {
			fmt.Printf("tag\t%s\t%s\t%s\n", one.Tag.Path, one.Component, one.Tag.Unit)
		}
	}
	live, known := api.NewLiveClient(kernel), names{}
	for page := range pages(live.Current(ctx, &api.CurrentRequest{Selectors: flag.Args()})) {
		known.learn(page.Tags)
		known.print("current", page.Batches...)
	}
	question := &api.QueryRequest{Selectors: flag.Args(), From: time.Now().Add(-10 * time.Minute).UnixNano()}
	for page := range pages(api.NewHistoryClient(kernel).Query(ctx, question)) {
		known.learn(page.Tags)
		known.print("history", page.Batches...)
	}
	open := &api.SubscribeOpen{Selectors: flag.Args(), ResumeToken: token, Credit: credit}
	for err = follow(ctx, live, open, updates); err != nil; err = follow(ctx, live, open, updates) {
		if code := status.Code(err); code != codes.Aborted && code != codes.Unavailable {
			must(err)
		}
		log.Print(err) // it went away, or cut us
		time.Sleep(time.Second)
	}
	fmt.Printf("resume\t%x\n", open.ResumeToken)
}
