"""What every model keeps to: options, fit, forecast; designs, distributions, fits of many series."""
