/// What one worker of the pool works with. Only the worker's thread uses it.
package struct WorkerSession {
    let handler: any RequestHandler
    let tasks: [LoopTask]
    let finish: () -> Void

    /// - Parameters:
    ///   - handler: executes requests, with its own engine session and domain objects.
    ///   - tasks: the background work for requests of this session. It runs after each request, and when it is due.
    ///   - finish: ends the session: does the last background work, and closes the engine session.
    package init(handler: any RequestHandler, tasks: [LoopTask], finish: @escaping () -> Void) {
        self.handler = handler
        self.tasks = tasks
        self.finish = finish
    }
}
