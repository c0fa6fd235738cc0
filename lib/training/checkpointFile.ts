/** The file of a checkpoint: what it says about itself, its checksum, and the checkpoint before it. */
import { createHash } from 'node:crypto';
import { readSafetensors, writeSafetensors, type StoredTensor } from '../io';
import type { Preset } from '../models';
import { previousFile } from './previous';

const FORMAT = 'tsdiffusion-checkpoint-1';

/** What a checkpoint says about itself. */
export interface CheckpointInfo {
  preset: Preset;
  seed: number;
  /** Steps done. */
  step: number;
  /** Steps that the run is planned to have. */
  totalSteps: number;
  /** 'training' can be resumed; 'weights' can only be sampled from. */
  kind: 'training' | 'weights';
}

export type RunInfo = Pick<CheckpointInfo, 'preset' | 'seed' | 'totalSteps'>;

/** Of all numbers, so that a changed one is noticed; half-precision files, which are rounded on the way, have none. */
function checksum(tensors: Iterable<[string, StoredTensor]>): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of tensors) {
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    hash.update(name).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}

/** Writes a checkpoint atomically. */
export function writeCheckpoint(file: string, tensors: [string, StoredTensor][], info: CheckpointInfo): void {
  const metadata: Record<string, string> = { format: FORMAT, info: JSON.stringify(info) };
  if (info.kind === 'training') metadata.sha256 = checksum(sorted(tensors));
  writeSafetensors(file, tensors, metadata);
}

/** In the order of their names: a file may keep another. */
function sorted(tensors: Iterable<[string, StoredTensor]>): [string, StoredTensor][] {
  return [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A checkpoint as it lies on the disk. */
export interface Checkpoint {
  file: string;
  info: CheckpointInfo;
  tensors: Map<string, StoredTensor>;
}

/** As `readOnly`; of a file that cannot be read the error offers the checkpoint before it, if that one can. */
export function readCheckpoint(file: string): Checkpoint {
  try {
    return readOnly(file);
  } catch (error) {
    const { message } = error as Error;
    let offer = '';
    try {
      const previous = previousFile(file);
      const { info } = readOnly(previous);
      offer = ` The checkpoint before it is whole (step ${info.step}): use ${previous}`;
      if (info.kind === 'training')
        offer += `; training goes on from there with --resume ${previous} --out ${file}`;
      offer += '.';
    } catch {
      // there is none either
    }
    throw new Error(message + offer, { cause: error });
  }
}

function readOnly(file: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(file);
  if (metadata.format !== FORMAT) {
    throw new Error(
      `${file} is no checkpoint of this library (format ${metadata.format ?? 'missing'}, expected ${FORMAT}): name a file that 'npm run train' wrote.`,
    );
  }
  if (metadata.sha256 !== undefined && metadata.sha256 !== checksum(sorted(tensors))) {
    throw new Error(
      `${file} is damaged: its numbers are not those that were written; make or copy it again.`,
    );
  }
  return { file, tensors, info: parseInfo(file, metadata.info) };
}

function parseInfo(file: string, text: string | undefined): CheckpointInfo {
  let info: Partial<CheckpointInfo> | undefined;
  try {
    info = JSON.parse(text ?? '');
  } catch {
    // refused below
  }
  const whole = [info?.seed, info?.step, info?.totalSteps].every(
    (n) => Number.isSafeInteger(n) && Number(n) >= 0,
  );
  const known = info?.kind === 'training' || info?.kind === 'weights';
  const { model, schedule, training, sampling } = info?.preset ?? {};
  if (!(whole && known && model && schedule && training && sampling)) {
    throw new Error(
      `${file} is damaged: what it says about its network cannot be read; make or copy it again.`,
    );
  }
  return info as CheckpointInfo;
}

/** Whether a file holds a checkpoint that can be read. */
export function isWhole(file: string): boolean {
  try {
    readOnly(file);
    return true;
  } catch {
    return false;
  }
}
