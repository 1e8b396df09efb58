internal import Accounts
internal import Synchronization
package import Platform

/// Deliveries by a driver, each on its own thread, so that neither a reply nor another mail waits for one that hangs.
package final class ThreadedDeliveries: Deliveries, Sendable {
    private let driver: any MailDriver
    private let sender: MailSender
    private let outcomes = Mutex<[DeliveryOutcome]>([])
    private let startThread: Thread.Starter
    private let wake: @Sendable () -> Void

    /// - Parameters:
    ///   - sender: the sender of the mails.
    ///   - startThread: starts the thread of each delivery.
    ///   - wake: called after each delivery, usually on its thread.
    package init(
        by driver: any MailDriver,
        from sender: MailSender,
        startThread: @escaping Thread.Starter = Thread.start,
        wake: @escaping @Sendable () -> Void
    ) {
        self.driver = driver
        self.sender = sender
        self.startThread = startThread
        self.wake = wake
    }

    package var isOpen: Bool { true }

    package func start(_ due: DueMail) {
        let message = InternetMessage(due.mail, due.content, from: sender)
        let hasStarted = startThread { [self] in
            var result = DeliveryOutcome.Result.delivered
            do throws(DeliveryFailure) {
                try driver.deliver(message)
            } catch {
                result = .failed(error)
            }
            end(DeliveryOutcome(mail: due.mail.id, result: result))
        }
        if !hasStarted {
            end(DeliveryOutcome(mail: due.mail.id, result: .failed(DeliveryFailure("no thread could be started"))))
        }
    }

    private func end(_ outcome: DeliveryOutcome) {
        outcomes.withLock { $0.append(outcome) }
        wake()
    }

    package func takeOutcomes() -> [DeliveryOutcome] {
        outcomes.withLock { outcomes in
            defer { outcomes = [] }
            return outcomes
        }
    }

    package func cancel() { driver.cancel() }
}
