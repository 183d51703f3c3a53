package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc"

	"client/pb/record"
)

type names map[uint32]string // handle → path

func (n names) learn(tags []*record.Tag) {
	for _, tag := range tags {
		n[tag.Handle] = tag.Path
	}
}

// print has a line for each sample. A column has an entry for each of them, or one that stands for all.
func (n names) print(what string, batches ...*record.Batch) {
	for _, b := range batches {
		for i := range int(b.GetCount()) {
			fmt.Printf("%s\t%s\t%d\t%v\t%d\n", what, n[at(b.Tag, i)], at(b.Time, i), value(b, i), at(b.Quality, i))
		}
	}
}

func at[T any](column []T, i int) (none T) {
	if len(column) == 0 {
		return none
	}
	return column[min(i, len(column)-1)]
}

func value(b *record.Batch, i int) any {
	text := func(all []byte) []byte {
		if i == 0 {
			return all[:b.End[0]]
		}
		return all[b.End[i-1]:b.End[i]]
	}
	switch b.DataType {
	case record.DataType_DATA_TYPE_FLOAT64:
		return b.Float64[i]
	case record.DataType_DATA_TYPE_INT64:
		return b.Int64[i]
	case record.DataType_DATA_TYPE_UINT64:
		return b.Uint64[i]
	case record.DataType_DATA_TYPE_BOOL:
		return b.Bool[i] == 1
	case record.DataType_DATA_TYPE_TEXT:
		return string(text(b.Text))
	}
	return hex.EncodeToString(text(b.Blob))
}

// pages are the messages of an answer.
func pages[M any](stream grpc.ServerStreamingClient[M], err error) iter.Seq[*M] {
	must(err)
	return func(yield func(*M) bool) {
		for page, err := stream.Recv(); err != io.EOF; page, err = stream.Recv() {
			must(err)
			if !yield(page) {
				return
			}
		}
	}
}
