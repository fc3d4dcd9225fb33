import Logging
import ServiceLifecycle
import UnixSignals

/// Reads `hearth.toml` again on `SIGHUP` and takes over its services; a bad file changes nothing.
struct Reload: Service {
  /// nil where the daemon runs without a file.
  let file: String?
  let running: Configuration
  let book: ServiceBook
  let notifier: ServiceNotifier
  let logger: Logger

  func run() async {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      notifier.reloading()
      await reload()
      notifier.ready("reloaded")
    }
  }

  private func reload() async {
    guard let file else { return logger.notice("nothing to reload: no configuration file was found at the start") }
    do {
      let configuration = try ConfigurationFile.read(file)
      try await book.reload(configuration.services)
      logger.notice("reloaded", metadata: ["file": "\(file)", "services": "\(configuration.services.count)"])
      if configuration.node != running.node || configuration.front != running.front {
        logger.warning("changes under [node] and [front] need a restart", metadata: ["file": "\(file)"])
      }
    } catch {
      logger.error("not reloaded, all goes on as before", metadata: ["error": "\(error)"])
    }
  }
}
