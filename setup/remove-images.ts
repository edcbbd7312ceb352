/** `npm run images:remove`: takes away every stand-in image that set-up built, under all its names. */
import { ensureEngine } from './engine.ts';
import { removeStandIns } from './images.ts';
import { lineProgress } from './progress.ts';

const engine = await ensureEngine(lineProgress(line => console.log(line)));
console.log(`${await removeStandIns(engine.api)} stand-in images removed`);
await engine.stop();
