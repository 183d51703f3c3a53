package main

import (
	"bedplate-my-thing/pb/analytic"
	"bedplate-my-thing/pb/record"
)

// From columns to samples and back. You need not change this file, unless you write other types of values.

// sample is one of the tag that is watched.
type sample struct {
	time, received int64 // ns
	value          float64
	good           bool
}

// output is a tag that is written for each asset.
type output struct {
	name        string
	of          record.DataType
	unit        string
	description string
}

func outputsOf(asset int) (found []*analytic.Output) {
	for _, one := range outputs {
		found = append(found, &analytic.Output{
			Asset: uint32(asset), Name: one.name, DataType: one.of, Unit: one.unit, Description: one.description,
		})
	}
	return found
}

// samples calls take for each sample of a record. A column has an entry for each of them, or one that stands for all.
func samples(one *record.Record, take func(tag uint32, s sample)) {
	b := one.GetBatch()
	for i := range int(b.GetCount()) {
		s := sample{time: at(b.Time, i), received: one.Received, good: at(b.Quality, i)>>30 == 0}
		switch b.DataType {
		case record.DataType_DATA_TYPE_FLOAT64:
			s.value = b.Float64[i]
		case record.DataType_DATA_TYPE_INT64:
			s.value = float64(b.Int64[i])
		case record.DataType_DATA_TYPE_UINT64:
			s.value = float64(b.Uint64[i])
		case record.DataType_DATA_TYPE_BOOL:
			s.value = float64(b.Bool[i])
		default: // text
			s.good = false
		}
		take(at(b.Tag, i), s)
	}
}

func at[T any](column []T, i int) (none T) {
	if len(column) == 0 {
		return none
	}
	return column[min(i, len(column)-1)]
}

// written gathers results: a batch for each output, since a batch has values of one type.
type written []*record.Batch

func newWritten() written {
	w := make(written, len(outputs))
	for i, one := range outputs {
		w[i] = &record.Batch{DataType: one.of}
	}
	return w
}

// add is one result of an asset. handles: of its outputs, in order.
func (w written) add(handles []uint32, at int64, seconds float64, times int64) {
	w[0].Float64 = append(w[0].Float64, seconds)
	w[1].Int64 = append(w[1].Int64, times)
	for i, b := range w {
		b.Count++
		b.Tag, b.Time = append(b.Tag, handles[i]), append(b.Time, at)
	}
}

// batches are those with something in them.
func (w written) batches() (found []*record.Batch) {
	for _, b := range w {
		if b.Count > 0 {
			found = append(found, b)
		}
	}
	return found
}
