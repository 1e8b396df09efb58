extension Connection {
    /// A connection whose requests are executed on the calling thread.
    init(handler: any RequestHandler, pool: WorkPool, order: ReplyOrder?, framing: Framing) {
        self.init(
            policy: handler,
            executor: InlineExecutor(handler),
            pool: pool,
            order: order,
            framing: framing
        )
    }
}
