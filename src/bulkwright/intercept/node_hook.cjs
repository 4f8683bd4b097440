// Loaded by `node --require` into a program that `bulkwright intercept` runs. Most HTTP clients of
// Node use no proxy, so each connection to a host of Zoho's is made to the interceptor instead. TLS
// stays: the interceptor has certificates of a CA that NODE_EXTRA_CA_CERTS names.
"use strict";

const net = require("node:net");

const port = Number(process.env.BULKWRIGHT_INTERCEPT_PORT);
const onlyZoho = process.env.BULKWRIGHT_INTERCEPT_ONLY_ZOHO === "1";
const zoho = new RegExp(process.env.BULKWRIGHT_INTERCEPT_HOSTS || "$^");
const local = /^(localhost|127\.[0-9.]+|::1)$/;

const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...given) {
	if (typeof given[0] === "number" && typeof given[1] === "string") {
		given = [{ port: given[0], host: given[1] }, ...given.slice(2)];
	}
	// net.connect() gives its normalised arguments as one array, all others give options first.
	const options = Array.isArray(given[0]) ? given[0][0] : given[0];
	if (port && options !== null && typeof options === "object" && typeof options.host === "string") {
		const host = options.host.toLowerCase();
		if (zoho.test(host)) {
			const changed = { ...options, host: "127.0.0.1", port, lookup: undefined };
			if (Array.isArray(given[0])) {
				// The array carries a symbol by which Node knows that it is normalised.
				given[0][0] = changed;
			} else {
				given[0] = changed;
			}
		} else if (onlyZoho && !local.test(host)) {
			const error = new Error(`bulkwright intercept: --only-zoho refuses ${host}`);
			error.code = "ECONNREFUSED";
			process.nextTick(() => this.destroy(error));
			return this;
		}
	}
	return connect.apply(this, given);
};
