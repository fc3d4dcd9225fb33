import ArgumentParser
import Control

struct MetricsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Print the daemon's numbers, for Prometheus.",
    discussion: HelpText.unwrapped(
      """
      Requests and bytes by service, side and status, how long they take, streams, friends, refusals by reason, devices by
      state, memory and files, since the daemon began. The format is Prometheus's text format.

      The same is at /metrics of the control socket, and on a port of this machine where [metrics] in hearth.toml says so:
      Prometheus itself reads no sockets.

      Examples:
        hearth metrics
        hearth metrics >/var/lib/prometheus/node-exporter/hearth.prom
      """))

  @OptionGroup var client: ClientOptions

  func run() async throws {
    Terminal.write(Array(try await client.client.metrics().utf8), to: 1)
  }
}
