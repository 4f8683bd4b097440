"""The controls of the emulator: what a test does with a server of `serve --dev` beside calling it.

    emulation.py    everything that one emulator holds; made at the start of the server
    gate.py         the place that each request passes
    exchanges.py    the log of requests; har.py writes it as HAR
    controls.py     what each control does; app.py serves them under /api/v1/emulator

A server without `--dev` imports none of it.
"""
