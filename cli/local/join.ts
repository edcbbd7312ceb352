/**
 * The word that joins a node to a server: `https://host:port#TOKEN:CA`. It holds the server's authority (as base64url
 * of its certificate), so that an agent gives its token to nobody else, and needs no file to be copied.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { CliError } from '../failure.ts';

export interface Join {
  /** `https://host:port`. */
  readonly server: string;
  readonly token: string;
  readonly caPem: string;
}

export const joinText = ({ server, token, caPem }: Join): string =>
  `${server}#${token}:${new X509Certificate(caPem).raw.toString('base64url')}`;

/** Reads what `joinText` wrote; throws CliError. */
export const parseJoin = (text: string): Join => {
  const match = /^(https:\/\/[^#/]+)\/?#([^:]+):([\w-]+)$/.exec(text.trim());
  if (!match) throw new CliError('--join: expected https://HOST:PORT#TOKEN:CA, as `berth token` prints it');
  try {
    const certificate = new X509Certificate(Buffer.from(match[3]!, 'base64url'));
    return { server: match[1]!, token: match[2]!, caPem: certificate.toString() };
  } catch {
    throw new CliError('--join: the certificate in it is damaged; was the end of the line cut off?');
  }
};

/** The command line for another machine. */
export const joinCommand = (word: string): string => `berth agent --node NAME --join '${word}'`;

/** Marks containers of this cluster on machines that only know its authority. */
export const clusterIdOf = (caPem: string): string =>
  createHash('sha256').update(new X509Certificate(caPem).raw).digest('hex').slice(0, 10);
