internal import Accounts
package import JSONRPC
internal import JSON
internal import Service

/// Deliveries by the host: each mail is a request `mail.deliver`. A result means that the mail is delivered; an error,
/// or no response within `Limits.hostAnswerSeconds`, that the attempt has failed.
package final class HostDeliveries: Deliveries {
    private let host: HostMessages
    private var outcomes: [DeliveryOutcome] = []

    package init(by host: HostMessages) {
        self.host = host
    }

    /// Whether the host reads, and can still answer.
    package var isOpen: Bool { host.canRequest }

    package func start(_ due: DueMail) {
        let (mail, content) = (due.mail, due.content)
        let params = ServiceWire.Mail(
            id: mail.id,
            to: mail.to,
            subject: mail.subject,
            text: content.text,
            kind: mail.kind,
            code: content.code,
            link: content.link,
            html: content.html,
            locale: content.locale
        )
        let isSent = host.request(
            HostMethod.mailDeliver,
            seconds: Limits.hostAnswerSeconds,
            params: params.write
        ) { [self] answer in
            outcomes.append(DeliveryOutcome(mail: mail.id, result: Self.result(answer, to: content)))
        }
        // Earlier mails of this turn have taken the room.
        if !isSent { outcomes.append(DeliveryOutcome(mail: mail.id, result: .returned)) }
    }

    package func takeOutcomes() -> [DeliveryOutcome] {
        defer { outcomes = [] }
        return outcomes
    }

    /// Does nothing: the host answers no request after its output to this process has ended, and `HostMessages` ends
    /// them then.
    package func cancel() {}

    private static func result(_ answer: HostAnswer, to content: OutboxText) -> DeliveryOutcome.Result {
        switch answer {
        case .result: .delivered
        case .error(let error):
            .failed(DeliveryFailure("the host answered with error \(error.code)", detail: detail(error, content)))
        case .malformed: .failed(DeliveryFailure("the response of the host is not one of JSON-RPC 2.0"))
        case .unanswered(let seconds): .failed(DeliveryFailure("the host did not answer within \(seconds) seconds"))
        case .ended: .returned
        }
    }

    /// The message of an error, without words of the mail.
    private static func detail(_ error: RPCError, _ content: OutboxText) -> String? {
        let mail = [content.text, content.code ?? "", content.link ?? "", content.html ?? ""].joined(separator: "\n")
        let message = Array(error.message.utf8.prefix(Limits.hostErrorBytesKept))
        return FailureDetail.line(message[...], isCut: false, without: Array(mail.utf8))
    }
}
