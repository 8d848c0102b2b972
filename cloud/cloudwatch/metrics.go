package cloudwatch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"ouro/cloud/door"
	"ouro/cloud/store"
)

// AWS's bounds on what is put.
const (
	maxData       = 1000 // of one request
	maxValues     = 150  // of one datum
	maxDimensions = 30
	oldestDatum   = 14 * 24 * time.Hour
	newestDatum   = 2 * time.Hour
)

// kept is how long data of a minute are, as on AWS. Those of longer ago, which
// AWS has in longer periods, are gone here.
const kept = 15 * 24 * time.Hour

// metric is a series that data were put to.
type metric struct {
	Namespace, Name string
	Dimensions      []types.Dimension // sorted
	Seen            time.Time         // when data came last
}

// key is the metric's name in the store, in which metrics sort.
func (m metric) key() string {
	b := m.Namespace + "\x1f" + m.Name
	for _, d := range m.Dimensions {
		b += "\x1f" + aws.ToString(d.Name) + "\x1e" + aws.ToString(d.Value)
	}
	return b
}

// id is the metric's part of the keys of its data.
func (m metric) id() string {
	sum := sha256.Sum256([]byte(m.key()))
	return hex.EncodeToString(sum[:16])
}

// newMetric names a metric; the order of dimensions does not tell metrics
// apart.
func newMetric(namespace, name *string, dimensions []types.Dimension) metric {
	m := metric{Namespace: aws.ToString(namespace), Name: aws.ToString(name), Dimensions: slices.Clone(dimensions)}
	slices.SortFunc(m.Dimensions, func(a, b types.Dimension) int { return strings.Compare(aws.ToString(a.Name), aws.ToString(b.Name)) })
	return m
}

// PutMetricData takes data of metrics.
func (s *Service) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	if err := checkNamespace(in.Namespace, true); err != nil {
		return nil, err
	}
	if in.EntityMetricData != nil {
		return nil, badValue("The local cloud keeps no entities: give the data in MetricData.")
	}
	if len(in.MetricData) == 0 {
		return nil, missingParameter("MetricData")
	}
	if len(in.MetricData) > maxData {
		return nil, badValue("The collection MetricData must not have a size greater than %d.", maxData)
	}
	data := make([]datum, len(in.MetricData))
	for i, d := range in.MetricData {
		var err error
		if data[i], err = s.readDatum(in.Namespace, d, fmt.Sprintf("MetricData.member.%d", i+1)); err != nil {
			return nil, err
		}
	}
	scope := door.CallerFrom(ctx).Scope()
	err := s.host.Store().Atomically(ctx, func(ctx context.Context) error {
		for _, d := range data {
			if err := s.add(ctx, scope, d); err != nil {
				return fmt.Errorf("storing data of the metric %q: %w", d.metric.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// datum is what is put to a metric at one time.
type datum struct {
	metric metric
	at     time.Time
	unit   types.StandardUnit
	point  point
}

func checkNamespace(namespace *string, writing bool) error {
	switch n := aws.ToString(namespace); {
	case n == "":
		return missingParameter("Namespace")
	case len(n) > 255 || n[0] == ':' || strings.ContainsFunc(n, unicode.IsControl):
		return badValue("The value for parameter Namespace is invalid.")
	case writing && strings.HasPrefix(n, "AWS/"):
		return badValue("The value AWS/ for parameter Namespace is invalid.")
	}
	return nil
}

func checkMetric(name *string, dimensions []types.Dimension, at string) error {
	if n := aws.ToString(name); n == "" {
		return missingParameter(at + "MetricName")
	} else if len(n) > 255 || strings.ContainsFunc(n, unicode.IsControl) {
		return badValue("The value for parameter %sMetricName is invalid.", at)
	}
	if len(dimensions) > maxDimensions {
		return badValue("The collection %sDimensions must not have a size greater than %d.", at, maxDimensions)
	}
	for i, d := range dimensions {
		name, value, here := aws.ToString(d.Name), aws.ToString(d.Value), fmt.Sprintf("%sDimensions.member.%d.", at, i+1)
		switch {
		case name == "":
			return missingParameter(here + "Name")
		case value == "":
			return missingParameter(here + "Value")
		case len(name) > 255 || name[0] == ':' || strings.ContainsFunc(name, unicode.IsControl):
			return badValue("The value for parameter %sName is invalid.", here)
		case len(value) > 1024 || strings.ContainsFunc(value, unicode.IsControl):
			return badValue("The value for parameter %sValue is invalid.", here)
		}
	}
	return nil
}

func (s *Service) readDatum(namespace *string, d types.MetricDatum, at string) (datum, error) {
	if err := checkMetric(d.MetricName, d.Dimensions, at+"."); err != nil {
		return datum{}, err
	}
	p, err := readPoint(d, at)
	if err != nil {
		return datum{}, err
	}
	out := datum{metric: newMetric(namespace, d.MetricName, d.Dimensions), at: s.now(), unit: d.Unit, point: p}
	if out.unit == "" {
		out.unit = types.StandardUnitNone
	}
	if !slices.Contains(out.unit.Values(), out.unit) {
		return datum{}, badValue("The value %s for parameter %s.Unit is invalid.", d.Unit, at)
	}
	if d.Timestamp != nil {
		out.at = *d.Timestamp
	}
	if age := s.host.Now().Sub(out.at); age > oldestDatum || age < -newestDatum {
		return datum{}, badValue("The parameter %s.Timestamp must specify a time within the past two weeks or no more than two hours in the future.", at)
	}
	switch aws.ToInt32(d.StorageResolution) {
	case 0, 60:
		out.at = out.at.Truncate(time.Minute)
	case 1:
		out.at = out.at.Truncate(time.Second)
	default:
		return datum{}, badValue("The value %d for parameter %s.StorageResolution is invalid: it is 1 or 60.", *d.StorageResolution, at)
	}
	return out, nil
}

// readPoint reads the one of the three forms that a datum has its values in.
func readPoint(d types.MetricDatum, at string) (p point, err error) {
	forms := 0
	for _, there := range []bool{d.Value != nil, d.StatisticValues != nil, d.Values != nil} {
		if there {
			forms++
		}
	}
	switch {
	case forms == 0:
		return p, missingParameter(at + ".Value")
	case forms > 1:
		return p, badCombination("At most one of the parameters Value, Values and StatisticValues of %s may be given.", at)
	case len(d.Values) > maxValues:
		return p, badValue("The collection %s.Values must not have a size greater than %d.", at, maxValues)
	case d.Counts != nil && len(d.Counts) != len(d.Values):
		return p, badValue("The collections %s.Values and %s.Counts must be of the same size.", at, at)
	}
	bad := func(f *float64) bool {
		return f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) || math.Abs(*f) > 1.2e108
	}
	if set := d.StatisticValues; set != nil {
		if bad(set.SampleCount) || bad(set.Sum) || bad(set.Minimum) || bad(set.Maximum) || *set.SampleCount <= 0 || *set.Minimum > *set.Maximum {
			return p, badValue("The value for parameter %s.StatisticValues is invalid.", at)
		}
		p = point{Count: *set.SampleCount, Sum: *set.Sum, Least: *set.Minimum, Most: *set.Maximum}
		if p.Least == p.Most { // all values are known then
			p.Values = []weighted{{p.Least, p.Count}}
		} else {
			p.Blurred = true
		}
		return p, nil
	}
	values := d.Values
	if d.Value != nil {
		values = []float64{*d.Value}
	}
	for i, v := range values {
		count := 1.0
		if d.Counts != nil {
			count = d.Counts[i]
		}
		if bad(&v) || bad(&count) || count < 0 {
			return p, badValue("The value %v for parameter %s.Value is invalid.", v, at)
		}
		if count > 0 {
			p.merge(point{Count: count, Sum: v * count, Least: v, Most: v, Values: []weighted{{v, count}}})
		}
	}
	if p.Count == 0 {
		return p, badValue("The collection %s.Values must not be empty.", at)
	}
	return p, nil
}

// add stores a datum with what there is of its metric at its time.
func (s *Service) add(ctx context.Context, scope store.Scope, d datum) error {
	d.metric.Seen = s.now()
	if err := s.metrics.Put(ctx, scope, d.metric.key(), d.metric); err != nil {
		return err
	}
	id := d.metric.id() + "/"
	key := id + second(d.at) + "/" + string(d.unit)
	sum, err := s.points.Get(ctx, scope, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	sum.merge(d.point)
	if err := s.points.Put(ctx, scope, key, sum); err != nil {
		return err
	}
	old, err := s.points.List(ctx, scope, store.Query{Prefix: id, Limit: 10})
	for _, e := range old {
		if err == nil && e.ID < id+second(s.host.Now().Add(-kept)) {
			err = s.points.Delete(ctx, scope, e.ID)
		}
	}
	return err
}

// second is a time in the keys of data.
func second(t time.Time) string { return fmt.Sprintf("%012d", max(t.Unix(), 0)) }

// ListMetrics gives the metrics that data came to in the last two weeks.
func (s *Service) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	if in.RecentlyActive != "" && in.RecentlyActive != types.RecentlyActivePt3h {
		return nil, badValue("The value %s for parameter RecentlyActive is invalid.", in.RecentlyActive)
	}
	since := s.host.Now().Add(-oldestDatum)
	if in.RecentlyActive != "" {
		since = s.host.Now().Add(-3 * time.Hour)
	}
	prefix := ""
	if in.Namespace != nil {
		prefix = *in.Namespace + "\x1f"
	}
	all, err := s.metrics.List(ctx, door.CallerFrom(ctx).Scope(), store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e store.Entry[metric]) bool {
		return e.Value.Seen.Before(since) || in.MetricName != nil && *in.MetricName != e.Value.Name || !hasDimensions(e.Value, in.Dimensions)
	})
	all, next, err := page(all, func(e store.Entry[metric]) string { return e.ID }, in.NextToken, 500)
	out := &cloudwatch.ListMetricsOutput{Metrics: []types.Metric{}, NextToken: next}
	for _, e := range all {
		out.Metrics = append(out.Metrics, types.Metric{Namespace: &e.Value.Namespace, MetricName: &e.Value.Name, Dimensions: e.Value.Dimensions})
	}
	return out, err
}

func hasDimensions(m metric, wanted []types.DimensionFilter) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(m.Dimensions, func(d types.Dimension) bool {
			return aws.ToString(d.Name) == aws.ToString(w.Name) && (w.Value == nil || *w.Value == aws.ToString(d.Value))
		}) {
			return false
		}
	}
	return true
}
