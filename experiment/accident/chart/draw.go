package main

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"fanmail/experiment"
)

// Sizes of the picture.
const (
	columnWidth = 13 * vg.Centimeter
	rowHeight   = 6 * vg.Centimeter
	gap         = 0.6 * vg.Centimeter
	margin      = 0.4 * vg.Centimeter
)

// series are the rows of the picture.
var series = []struct {
	label string
	value func(sample) int
}{
	{"connections", func(s sample) int { return s.Connections }},
	{"environments", func(s sample) int { return s.Environments }},
	{"refused connections, in all", func(s sample) int { return s.Refused }},
}

// Colours that also those tell apart who see no red and green.
var (
	colours = map[string]color.Color{"naive": color.RGBA{213, 94, 0, 255}, "fanmail": color.RGBA{0, 114, 178, 255}}
	grey    = color.Gray{110}
	pale    = color.Gray{225}
)

var titles = map[string]string{"naive": "Naive senders", "fanmail": "Fanmail"}

// draw makes the picture in a format such as svg or png.
func draw(r result, format string) (io.WriterTo, error) {
	if len(r.Halves) == 0 {
		return nil, errors.New("the result has no halves")
	}
	plots := make([][]*plot.Plot, len(series))
	for row := range series {
		for _, h := range r.Halves {
			p, err := one(r, row, h)
			if err != nil {
				return nil, err
			}
			plots[row] = append(plots[row], p)
		}
	}
	columns := vg.Length(len(r.Halves))
	canvas, err := vgdraw.NewFormattedCanvas(columns*columnWidth, vg.Length(len(series))*rowHeight, format)
	if err != nil {
		return nil, err
	}
	tiles := vgdraw.Tiles{
		Rows: len(series), Cols: len(r.Halves), PadX: gap, PadY: gap, PadTop: margin, PadBottom: margin, PadLeft: margin, PadRight: margin,
	}
	aligned := plot.Align(plots, tiles, vgdraw.New(canvas))
	for row := range plots {
		for column, p := range plots[row] {
			p.Draw(aligned[row][column])
		}
	}
	return canvas, nil
}

// one is a single plot; its scales are those of its row and of all columns.
func one(r result, row int, h half) (*plot.Plot, error) {
	p := plot.New()
	if row == 0 {
		p.Title.Text = fmt.Sprintf("%s: %s of %s mailed", titles[h.Name], experiment.Number(h.Mailed), experiment.Number(r.Recipients))
		p.Title.TextStyle.Font.Size = font.Length(13)
		p.Title.Padding = vg.Points(8)
	}
	if row == len(series)-1 {
		p.X.Label.Text = "seconds"
	}
	p.Y.Label.Text = series[row].label
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = scales(r, row)
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Horizontal.Color = 0, pale
	p.Add(grid)
	if row == 0 {
		if err := limit(p, h.Slots, fmt.Sprintf("the server's %d slots", h.Slots)); err != nil {
			return nil, err
		}
		if h.Bound > 0 {
			if err := limit(p, h.Bound, fmt.Sprintf("Fanmail's bound, %d", h.Bound)); err != nil {
				return nil, err
			}
		}
	}
	if len(h.Samples) == 0 {
		return p, nil
	}
	points := make(plotter.XYs, len(h.Samples))
	for i, s := range h.Samples {
		points[i] = plotter.XY{X: s.Seconds, Y: float64(series[row].value(s))}
	}
	line, err := plotter.NewLine(points)
	if err != nil {
		return nil, err
	}
	line.StepStyle, line.Width, line.Color = plotter.PostStep, vg.Points(2), colours[h.Name]
	p.Add(line)
	return p, nil
}

// limit draws a dashed line with its name.
func limit(p *plot.Plot, at int, name string) error {
	y := float64(at)
	line, err := plotter.NewLine(plotter.XYs{{X: p.X.Min, Y: y}, {X: p.X.Max, Y: y}})
	if err != nil {
		return err
	}
	line.Dashes, line.Color = []vg.Length{vg.Points(5), vg.Points(4)}, grey
	label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: p.X.Max, Y: y}}, Labels: []string{name}})
	if err != nil {
		return err
	}
	label.TextStyle[0].XAlign, label.TextStyle[0].YAlign, label.TextStyle[0].Color = text.XRight, text.YBottom, grey
	label.Offset = vg.Point{Y: vg.Points(3)}
	p.Add(line, label)
	return nil
}

// scales are from 0 to a little beyond the largest of all halves.
func scales(r result, row int) (xMin, xMax, yMin, yMax float64) {
	const headroom = 1.15
	top := 1.0
	if row == 0 {
		top = float64(r.MaxConnections)
	}
	for _, h := range r.Halves {
		for _, s := range h.Samples {
			xMin, xMax = math.Min(xMin, s.Seconds), math.Max(xMax, s.Seconds)
			top = math.Max(top, float64(series[row].value(s)))
		}
	}
	return xMin, math.Max(xMax, 1), 0, top * headroom
}
