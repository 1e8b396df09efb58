package import Platform
internal import Synchronization

/// Runs background work on a thread of its own: work that waits for another machine must not stop the loop.
package final class TaskThread: Sendable {
    private let wakeUp: WakeUp
    private let isEnding = Atomic(false)
    private let ended = Mailbox<Void>()

    /// - Parameter wakeUp: ends a wait of the thread.
    package init(wakeUp: WakeUp) {
        self.wakeUp = wakeUp
    }

    /// Starts the thread.
    ///
    /// - Parameter makeTasks: makes the tasks, on the thread, and what ends them.
    /// - Returns: false if no thread can be started.
    package func start(_ makeTasks: @escaping @Sendable () -> (tasks: [LoopTask], finish: () -> Void)) -> Bool {
        Thread.start { [self] in
            let (tasks, finish) = makeTasks()
            while !isEnding.load(ordering: .acquiring) {
                let milliseconds = tasks.compactMap { $0() }.min()
                if Readiness.wait(wakeUp.descriptor, nil, milliseconds: milliseconds).first { wakeUp.clear() }
            }
            finish()
            ended.post(())
        }
    }

    /// Runs the tasks again.
    package func wake() { wakeUp.send() }

    /// Ends the thread and waits until it has ended.
    package func finish() {
        isEnding.store(true, ordering: .releasing)
        wakeUp.send()
        ended.take()
    }
}
