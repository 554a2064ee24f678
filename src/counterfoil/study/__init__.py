"""One evaluation: plan, checked values, stages in order, manifest."""
