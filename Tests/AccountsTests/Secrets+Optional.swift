import Store

@testable import Accounts

/// The error for an invalid secret.
private let refusal = AccountError(ErrorCode.Service.invalidRequest)

extension MailedCodes {
    /// The holder of the code; nil if the code is refused.
    func redeem(_ purpose: Purpose, _ code: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try redeem(purpose, code, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }

    /// The holder of the code; nil if the code is refused.
    func find(_ purpose: Purpose, _ code: String, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try find(purpose, code, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }
}

extension Sessions {
    /// The account of the token; nil if the token is refused.
    func account(holding token: BearerToken, at now: Timestamp, in tx: Transaction) throws -> Int? {
        do {
            return try account(holding: token, at: now, in: tx, orThrow: refusal)
        } catch is AccountError {
            return nil
        }
    }
}
